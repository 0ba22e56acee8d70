#ifndef PSIMAGENET_CDNNL_SHIM_H
#define PSIMAGENET_CDNNL_SHIM_H
#include <oneapi/dnnl/dnnl.h>
#if DNNL_VERSION_MAJOR != 2
#error "Engine/DNNL is written for the oneDNN 2.x C API (Debian 12: libdnnl-dev 2.6)"
#endif
#endif
