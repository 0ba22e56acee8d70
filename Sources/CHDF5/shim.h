#ifndef PSIMAGENET_CHDF5_SHIM_H
#define PSIMAGENET_CHDF5_SHIM_H
#include <hdf5.h>
#endif
