/* The convolutional networks that have a name. */
#ifndef SWEEPSTAKE_NN_ARCHITECTURES_H
#define SWEEPSTAKE_NN_ARCHITECTURES_H

#include "nn/spec.h"

/* The names, in order; NULL behind the last. */
const char *architecture_name(int index);

/* Its index by one of its names, or -1. */
int architecture_find(const char *name);

/* Adds the layers up to the last hidden one. */
int architecture_add_layers(int index, struct net_spec *spec, double dropout, struct error *err);

/* Adds a fully connected layer, a relu and, unless `dropout` is 0, dropout. */
int add_hidden_layer(struct net_spec *spec, int32_t width, double dropout, struct error *err);

#endif
