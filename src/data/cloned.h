/* Functions compiled for several instruction sets, the best one chosen when the program is loaded:
 * the same operations on more numbers at a time, so the same bits. */
#ifndef DATA_CLONED_H
#define DATA_CLONED_H

#if defined __x86_64__ && defined __linux__
#define CLONED __attribute__((target_clones("avx2", "default")))
#else
#define CLONED
#endif

#endif
