#ifndef PSIMAGENET_CDNNL_SHIM_H
#define PSIMAGENET_CDNNL_SHIM_H
#include <oneapi/dnnl/dnnl.h>
#if DNNL_VERSION_MAJOR != 2
#error "Engine/DNNL is written for the oneDNN 2.x C API (Debian 12: libdnnl-dev 2.6)"
#endif
/* GNU OpenMP, which runs Debian's oneDNN; its header is GCC's own, so its two calls are declared here. */
void omp_set_num_threads(int);
int omp_get_max_threads(void);
#endif
