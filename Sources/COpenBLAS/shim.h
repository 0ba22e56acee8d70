#ifndef PSIMAGENET_COPENBLAS_SHIM_H
#define PSIMAGENET_COPENBLAS_SHIM_H
#include <cblas.h>
#endif
