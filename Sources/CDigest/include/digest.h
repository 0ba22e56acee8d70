#ifndef PSIMAGENET_DIGEST_H
#define PSIMAGENET_DIGEST_H
#include <stddef.h>
#include <stdint.h>

/* SHA-256 (FIPS 180-4) with the processor's own instructions, whose latency two independent streams hide: two files take the time of one. */

/* Whether this processor has the instructions; the other functions need them. */
int psi_has_sha256(void);

/* The state of an empty stream. */
void psi_sha256_begin(uint32_t state[8]);

/* Adds blocks of 64 bytes to one stream, or as many to each of two. */
void psi_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count);
void psi_sha256_two(uint32_t first[8], const uint8_t *blocks_of_first, uint32_t second[8], const uint8_t *blocks_of_second, size_t count);

/* Ends a stream of `length` bytes with the last length % 64 of them. */
void psi_sha256_end(uint32_t state[8], const uint8_t *rest, uint64_t length, uint8_t digest[32]);
#endif
