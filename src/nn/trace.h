/* How the layers of a network hang together: shapes, numbers, and who reads whom. */
#ifndef SWEEPSTAKE_NN_TRACE_H
#define SWEEPSTAKE_NN_TRACE_H

#include "nn/spec.h"

#define TRACE_INPUT (-1) /* instead of a layer: the network's input */

struct trace {
    struct shape input, output;
    int number; /* from 1, among the layers of its kind; where that names parameters, those in
                   shortcuts are numbered apart */
    bool in_shortcut;
    /* Indices of the layers whose outputs it reads; `other` is LAYER_ADD's second, else
     * TRACE_INPUT. A layer that computes nothing (LAYER_RESIDUAL, LAYER_SHORTCUT) stands for its
     * own source. */
    int32_t source, other;
};

/* Puts layer `i` in front of what is wrong with it. Layers are numbered as one who lists them
 * would, from 1: without the marks of residual blocks and the shortcuts put into them. Returns -1.
 */
int trace_error(const struct net_spec *spec, int32_t i, struct error *err);

/* Traces the layers there are so far; a residual block may be open. Usage error naming the layer
 * when shapes do not fit or blocks are broken. */
int trace_layers(const struct net_spec *spec, struct trace traces[NET_MAX_LAYERS],
                 struct error *err);

/* Traces a whole network, which ends in its classes. */
int net_trace(const struct net_spec *spec, struct trace traces[NET_MAX_LAYERS], struct error *err);

#endif
