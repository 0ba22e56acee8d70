#ifndef PSIMAGENET_CHDF5_SHIM_H
#define PSIMAGENET_CHDF5_SHIM_H
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

/* Macros of hdf5.h that Swift cannot import, as functions. */

/* Little-endian type by position in the order u8 i8 u16 i16 u32 i32 u64 i64 f32 f64. */
static inline hid_t psi_h5_little_endian(int position) {
  switch (position) {
    case 0: return H5T_STD_U8LE;
    case 1: return H5T_STD_I8LE;
    case 2: return H5T_STD_U16LE;
    case 3: return H5T_STD_I16LE;
    case 4: return H5T_STD_U32LE;
    case 5: return H5T_STD_I32LE;
    case 6: return H5T_STD_U64LE;
    case 7: return H5T_STD_I64LE;
    case 8: return H5T_IEEE_F32LE;
    case 9: return H5T_IEEE_F64LE;
    default: return -1;
  }
}
static inline hid_t psi_h5_c_string(void) { return H5T_C_S1; }
static inline size_t psi_h5_variable(void) { return H5T_VARIABLE; }
static inline hid_t psi_h5_file_create_class(void) { return H5P_FILE_CREATE; }
static inline hid_t psi_h5_file_access_class(void) { return H5P_FILE_ACCESS; }
static inline hid_t psi_h5_group_create_class(void) { return H5P_GROUP_CREATE; }
static inline hid_t psi_h5_dataset_create_class(void) { return H5P_DATASET_CREATE; }
static inline hid_t psi_h5_link_create_class(void) { return H5P_LINK_CREATE; }
static inline hid_t psi_h5_default(void) { return H5P_DEFAULT; }
static inline hid_t psi_h5_all(void) { return H5S_ALL; }
static inline hsize_t psi_h5_unlimited(void) { return H5S_UNLIMITED; }
static inline unsigned psi_h5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned psi_h5_truncate(void) { return H5F_ACC_TRUNC; }

/* What an object is: 0 group, 1 dataset, 2 named type; -1 unreachable. `address` identifies it within its file. */
static inline int psi_h5_object(hid_t location, const char *name, unsigned long long *address) {
  H5O_info_t info;
  if (H5Oget_info_by_name(location, name, &info, H5P_DEFAULT) < 0) return -1;
  *address = (unsigned long long)info.addr ^ ((unsigned long long)info.fileno << 48);
  switch (info.type) {
    case H5O_TYPE_GROUP: return 0;
    case H5O_TYPE_DATASET: return 1;
    default: return 2;
  }
}

/* The number of the open file that an object lies in; 0 where that is unreachable, which no file has. */
static inline unsigned long psi_h5_file_number(hid_t object) {
  H5O_info_t info;
  return H5Oget_info_by_name(object, ".", &info, H5P_DEFAULT) < 0 ? 0 : info.fileno;
}

/* The error stack, innermost call first, as "call: reason; call: reason". */
struct psi_h5_text { char *bytes; size_t capacity; size_t used; };
static inline herr_t psi_h5_append_error(unsigned n, const H5E_error2_t *error, void *context) {
  struct psi_h5_text *text = (struct psi_h5_text *)context;
  (void)n;
  if (text->used >= text->capacity) return 0;
  int written = snprintf(text->bytes + text->used, text->capacity - text->used, "%s%s: %s", text->used ? "; " : "",
                         error->func_name ? error->func_name : "?", error->desc ? error->desc : "?");
  if (written > 0) text->used += (size_t)written;
  return 0;
}
static inline void psi_h5_error_text(char *bytes, size_t capacity) {
  struct psi_h5_text text = {bytes, capacity, 0};
  if (capacity) bytes[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, psi_h5_append_error, &text);
}
static inline void psi_h5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }
static inline void psi_h5_clear_errors(void) { H5Eclear2(H5E_DEFAULT); }
#endif
