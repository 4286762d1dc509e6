/* Operands are made in whatever layout oneDNN asks for (format_tag any), so that no reordering is
 * timed. */
#include "bench_onednn.h"

#include <stdlib.h>
#include <string.h>

#include "../../src/nn/kernels/kernels.h"
#include "bench.h"

#ifdef HAVE_ONEDNN
#include <dnnl.h>

#define OPERANDS 3

/* libgomp's. */
void omp_set_num_threads(int threads);

struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t operands[OPERANDS];
};

void onednn_limit(const char *isa)
{
    omp_set_num_threads(1);
    if (isa && strcmp(isa, "avx2") == 0)
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
    else if (isa && strcmp(isa, "portable") == 0)
        dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41);
}

/* The operation in oneDNN's words. */
struct description {
    dnnl_memory_desc_t x, w, y;
    dnnl_convolution_desc_t convolution;
};

static bool describe(struct description *d, const struct conv_shape *s, int64_t columns, int pass,
                     dnnl_alg_kind_t algorithm)
{
    const dnnl_dims_t x = {columns, s->inputs, s->height, s->width};
    const dnnl_dims_t w = {s->outputs, s->inputs, s->kernel, s->kernel};
    const dnnl_dims_t y = {columns, s->outputs, s->height, s->width};
    const dnnl_dims_t strides = {s->stride, s->stride}, padding = {s->padding, s->padding};
    dnnl_memory_desc_init_by_tag(&d->x, 4, x, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&d->w, 4, w, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&d->y, 4, y, dnnl_f32, dnnl_format_tag_any);
    dnnl_convolution_desc_t *c = &d->convolution;
    if (pass == 0)
        return dnnl_convolution_forward_desc_init(c, dnnl_forward_training, algorithm, &d->x, &d->w,
                                                  NULL, &d->y, strides, padding,
                                                  padding) == dnnl_success;
    if (pass == 1)
        return dnnl_convolution_backward_data_desc_init(c, algorithm, &d->x, &d->w, &d->y, strides,
                                                        padding, padding) == dnnl_success;
    return dnnl_convolution_backward_weights_desc_init(c, algorithm, &d->x, &d->w, NULL, &d->y,
                                                       strides, padding, padding) == dnnl_success;
}

static dnnl_primitive_desc_t create_primitive_desc(dnnl_engine_t engine,
                                                   const struct conv_shape *shape, int64_t columns,
                                                   int pass, enum onednn_method method)
{
    const dnnl_alg_kind_t algorithm =
        method == ONEDNN_WINOGRAD ? dnnl_convolution_winograd : dnnl_convolution_direct;
    struct description forward, wanted;
    dnnl_primitive_desc_t hint = NULL, desc = NULL;
    if (!describe(&forward, shape, columns, 0, algorithm) ||
        !describe(&wanted, shape, columns, pass, algorithm))
        return NULL;
    if (pass == 0 || dnnl_primitive_desc_create(&hint, &forward.convolution, NULL, engine, NULL) ==
                         dnnl_success) {
        if (dnnl_primitive_desc_create(&desc, &wanted.convolution, NULL, engine, hint) !=
            dnnl_success)
            desc = NULL;
    }
    if (hint)
        dnnl_primitive_desc_destroy(hint);
    return desc;
}

/* An operand of normal numbers. */
static bool create_operand(struct onednn *o, const_dnnl_primitive_desc_t desc, int index,
                           int argument, dnnl_query_t query)
{
    const dnnl_memory_desc_t *layout = dnnl_primitive_desc_query_md(desc, query, 0);
    dnnl_memory_t *memory = &o->operands[index].memory;
    void *to = NULL;
    if (!layout ||
        dnnl_memory_create(memory, layout, o->engine, DNNL_MEMORY_ALLOCATE) != dnnl_success)
        return false;
    o->operands[index].arg = argument;
    const size_t bytes = dnnl_memory_desc_get_size(layout);
    float *values = bench_floats((int64_t)(bytes / sizeof *values), NULL);
    if (!values || dnnl_memory_get_data_handle(*memory, &to) != dnnl_success) {
        free(values);
        return false;
    }
    memcpy(to, values, bytes);
    free(values);
    return true;
}

static bool create_operands(struct onednn *o, const_dnnl_primitive_desc_t desc, int pass)
{
    static const struct {
        int argument;
        dnnl_query_t query;
    } operands[][OPERANDS] = {
        {{DNNL_ARG_SRC, dnnl_query_src_md},
         {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
         {DNNL_ARG_DST, dnnl_query_dst_md}},
        {{DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
         {DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
         {DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md}},
        {{DNNL_ARG_SRC, dnnl_query_src_md},
         {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
         {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md}},
    };
    for (int i = 0; i < OPERANDS; i++)
        if (!create_operand(o, desc, i, operands[pass][i].argument, operands[pass][i].query))
            return false;
    return true;
}

struct onednn *onednn_create(const struct conv_shape *shape, int64_t columns, int pass,
                             enum onednn_method method)
{
    struct onednn *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    dnnl_primitive_desc_t desc = NULL;
    bool made =
        dnnl_engine_create(&o->engine, dnnl_cpu, 0) == dnnl_success &&
        dnnl_stream_create(&o->stream, o->engine, dnnl_stream_default_flags) == dnnl_success;
    if (made)
        desc = create_primitive_desc(o->engine, shape, columns, pass, method);
    made = desc && dnnl_primitive_create(&o->primitive, desc) == dnnl_success &&
           create_operands(o, desc, pass);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    if (made)
        return o;
    onednn_destroy(o);
    return NULL;
}

void onednn_run(const struct onednn *o)
{
    dnnl_primitive_execute(o->primitive, o->stream, OPERANDS, o->operands);
    dnnl_stream_wait(o->stream);
}

void onednn_destroy(struct onednn *o)
{
    if (!o)
        return;
    for (int i = 0; i < OPERANDS; i++)
        if (o->operands[i].memory)
            dnnl_memory_destroy(o->operands[i].memory);
    if (o->primitive)
        dnnl_primitive_destroy(o->primitive);
    if (o->stream)
        dnnl_stream_destroy(o->stream);
    if (o->engine)
        dnnl_engine_destroy(o->engine);
    free(o);
}

#else

void onednn_limit(const char *isa)
{
    (void)isa;
}

struct onednn *onednn_create(const struct conv_shape *shape, int64_t columns, int pass,
                             enum onednn_method method)
{
    (void)shape;
    (void)columns;
    (void)pass;
    (void)method;
    return NULL;
}

void onednn_run(const struct onednn *onednn)
{
    (void)onednn;
}

void onednn_destroy(struct onednn *onednn)
{
    (void)onednn;
}

#endif
