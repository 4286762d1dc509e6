/* Log lines for people, on stderr: "sweepstake: warning: ...". Where a live progress line is on
 * the terminal, its owner registers a hook that clears it first. */
#ifndef SWEEPSTAKE_BASE_LOG_H
#define SWEEPSTAKE_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_set_level(enum log_level least);
void log_set_before_line(void (*hook)(void *user), void *user);

#endif
