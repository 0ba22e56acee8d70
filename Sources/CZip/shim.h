#ifndef PSIMAGENET_CZIP_SHIM_H
#define PSIMAGENET_CZIP_SHIM_H
#include <zip.h>
#endif
