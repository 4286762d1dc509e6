/* Which program this is: recorded in every store. */
#ifndef SWEEPSTAKE_BASE_VERSION_H
#define SWEEPSTAKE_BASE_VERSION_H

const char *version_text(void);   /* "0.1.0" */
const char *version_commit(void); /* git describe of the build, or the version outside a checkout */

#endif
