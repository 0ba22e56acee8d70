#ifndef PSIMAGENET_CXXHASH_SHIM_H
#define PSIMAGENET_CXXHASH_SHIM_H
#include <xxhash.h>
#endif
