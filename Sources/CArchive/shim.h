#ifndef PSIMAGENET_CARCHIVE_SHIM_H
#define PSIMAGENET_CARCHIVE_SHIM_H
#include <archive.h>
#include <archive_entry.h>
#endif
