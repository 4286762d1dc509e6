#ifndef PLAN_OWN_NETWORK_H
#define PLAN_OWN_NETWORK_H

#include "grid/networks.h"
#include "nn/spec.h"

/* The layers of a network that the grid defines, and the output layer behind them. Usage error when
 * shapes do not fit. */
int own_network_spec(const struct grid_network *network, struct shape input, int32_t classes,
                     struct net_spec *spec, struct error *err);

#endif
