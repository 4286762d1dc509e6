#ifndef PLAN_OWN_NETWORK_H
#define PLAN_OWN_NETWORK_H

#include "grid/networks.h"
#include "nn/spec.h"

/* The layers of a network that the grid defines, and the output layer behind them. Usage error when
 * shapes do not fit; *at is then the mark of the layer that is wrong, or of the network. */
int own_network_spec(const struct grid_network *network, struct shape input, int32_t classes,
                     struct net_spec *spec, struct mark *at, struct error *err);

#endif
