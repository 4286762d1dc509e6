/* Early stop: the earliest minimum of validation loss among all points, and the parameters there.
 * Training goes on to T whatever happens; this only keeps what would have been stopped at. */
#include <math.h>

#include "state.h"

bool early_stop_improves(double loss, double least)
{
    return !isnan(loss) && !(loss >= least);
}

bool early_stop_consider(struct train_state *state)
{
    int32_t last = state->points - 1;
    double least =
        state->early_stop < 0 ? (double)NAN : state->curve[state->early_stop].validation_loss;
    if (!early_stop_improves(state->curve[last].validation_loss, least))
        return false;
    state->early_stop = last;
    return true;
}
