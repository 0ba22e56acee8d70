#ifndef PSIMAGENET_CDEFLATE_SHIM_H
#define PSIMAGENET_CDEFLATE_SHIM_H
#include <libdeflate.h>
#endif
