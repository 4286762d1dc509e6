/* Attributes: 64-bit integers and fixed-size texts, single (scalar) or several (one dimension).
 * They are written once, when the file is made. */
#include "h5.h"

/* Takes over `type`. */
static int write_attribute(hid_t object, const char *name, hid_t type, int32_t count,
                           const void *values, struct error *err)
{
    hsize_t dims = (hsize_t)count;
    hid_t space = count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dims, NULL);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    int status = 0;
    if (attribute < 0 || H5Awrite(attribute, type, values) < 0)
        status = h5_error(err, ERROR_RESOURCE, "attribute %s cannot be written", name);
    h5_close(attribute);
    h5_close(space);
    h5_close(type);
    return status;
}

int h5_write_texts(hid_t object, const char *name, const char *texts, int32_t count, size_t size,
                   struct error *err)
{
    return write_attribute(object, name, h5_text_type(size), count, texts, err);
}

int h5_write_integers(hid_t object, const char *name, const int64_t *values, int32_t count,
                      struct error *err)
{
    return write_attribute(object, name, H5Tcopy(H5T_NATIVE_INT64), count, values, err);
}

/* Whether the attribute holds exactly `count` values of the class. */
static bool attribute_fits(hid_t attribute, H5T_class_t class, int32_t count)
{
    hid_t space = H5Aget_space(attribute), type = H5Aget_type(attribute);
    bool fits = space >= 0 && H5Sget_simple_extent_npoints(space) == count && type >= 0 &&
                H5Tget_class(type) == class;
    if (fits && class == H5T_STRING)
        fits = H5Tis_variable_str(type) == 0;
    h5_close(type);
    h5_close(space);
    return fits;
}

/* Takes over `type`. */
static int read_attribute(hid_t object, const char *name, H5T_class_t class, hid_t type,
                          int32_t count, void *values, struct error *err)
{
    int status = 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0)
        status = error_set(err, ERROR_USAGE, "attribute %s is missing", name);
    else if (!attribute_fits(attribute, class, count))
        status = error_set(err, ERROR_USAGE, "attribute %s is not %d value%s of the right type",
                           name, count, count == 1 ? "" : "s");
    else if (H5Aread(attribute, type, values) < 0)
        status = h5_error(err, ERROR_RESOURCE, "attribute %s cannot be read", name);
    h5_close(attribute);
    h5_close(type);
    return status;
}

int h5_read_texts(hid_t object, const char *name, char *texts, int32_t count, size_t size,
                  struct error *err)
{
    if (read_attribute(object, name, H5T_STRING, h5_text_type(size), count, texts, err) != 0)
        return -1;
    for (int32_t i = 0; i < count; i++)
        texts[(size_t)i * size + size - 1] = '\0';
    return 0;
}

int h5_read_integers(hid_t object, const char *name, int64_t *values, int32_t count,
                     struct error *err)
{
    return read_attribute(object, name, H5T_INTEGER, H5Tcopy(H5T_NATIVE_INT64), count, values, err);
}
