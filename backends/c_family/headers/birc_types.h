// Types. A frame that runs elsewhere than on the host says what INLINE means there.
typedef __INT64_TYPE__ int64;
typedef __UINT64_TYPE__ uint64;
typedef __INT32_TYPE__ int32;
typedef __UINT32_TYPE__ uint32;
typedef unsigned char uint8;
#ifndef INLINE
#define INLINE inline __attribute__((always_inline))  // a call would keep a loop from becoming vector code
#endif
