/* The wish to stop: SIGTERM, SIGINT, SIGQUIT, SIGHUP (unless ignored, as under nohup) and SIGUSR1.
 */
#ifndef SWEEPSTAKE_DIST_STOP_H
#define SWEEPSTAKE_DIST_STOP_H

/* Catches the signals from now on. A stop is asked for, too, in time for all to be saved before
 * `seconds` have passed; 0 = never. */
void stop_watch(double seconds);

/* How often a stop was asked for. */
int stop_requests(void);

/* How often by SIGINT, the impatient user's. */
int stop_interrupts(void);

#endif
