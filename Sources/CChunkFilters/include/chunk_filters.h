#ifndef PSIMAGENET_CHUNK_FILTERS_H
#define PSIMAGENET_CHUNK_FILTERS_H
#include <stddef.h>
#include <stdint.h>

/* Chunks of HDF5 files as h5py's LZF (filter 32000), LZ4 (32004) and bitshuffle with or without LZ4 (32008) packed them. Each fills
   `to` with exactly `total` bytes from `size` bytes, and returns 0; or -1 where the bytes say anything else. Every length in a
   chunk is checked against the bytes that are there.
   Sources: K. Masui et al., Astron. Comput. 12 (2015) 181, and bitshuffle's README; h5py's lzf filter; LZ4's HDF5 filter. */
int psi_undo_lzf(const uint8_t *from, size_t size, uint8_t *to, size_t total);
int psi_undo_lz4(const uint8_t *from, size_t size, uint8_t *to, size_t total);
/* `element` bytes an element; `block` elements a block where the chunk is not packed by LZ4 (0: as many as make 8 KiB). */
int psi_undo_bitshuffle(const uint8_t *from, size_t size, uint8_t *to, size_t total, size_t element, size_t block, int packed);

/* Makes HDF5's library read such chunks, too, without plugins: those of virtual datasets, for one. Call under HDF5's lock; calling
   it again changes nothing. Negative where HDF5 refuses. */
int psi_register_chunk_filters(void);
#endif
