#ifndef PSIMAGENET_CLBFGS_SHIM_H
#define PSIMAGENET_CLBFGS_SHIM_H
#include <lbfgs.h>
#endif
