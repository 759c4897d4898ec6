/* Makes a processor say that it has AVX2 and nothing newer, to every library of a program.

   Variables hold PyTorch to AVX2, but not TensorFlow Lite, OpenCV, NumPy and FFmpeg, which ask the processor themselves.
   Linux can let that question (the instruction cpuid) fail instead; what is caught here is then answered without
   AVX-512, AMX and the vector instructions for neural networks. Needs a processor that can do so (cpuid_fault among
   the flags in /proc/cpuinfo) and x86-64:

       cc -O2 -shared -fPIC -o avx2_only.so benchmarks/avx2/avx2_only.c
       LD_PRELOAD=$PWD/avx2_only.so python benchmarks/pipeline.py --only track
*/
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define ARCH_SET_CPUID 0x1012
#define BIT(n) (1u << (n))

static void cpuid_works(int yes) { syscall(SYS_arch_prctl, ARCH_SET_CPUID, yes); }

static void answer(int number, siginfo_t *info, void *context) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *at = (const uint8_t *)registers[REG_RIP];
    (void)info;
    if (at[0] != 0x0f || at[1] != 0xa2) { /* not that instruction: a real fault, which comes again and ends the program */
        signal(number, SIG_DFL);
        return;
    }
    uint32_t leaf = registers[REG_RAX], part = registers[REG_RCX], a = leaf, b, c = part, d;
    cpuid_works(1);
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    cpuid_works(0);
    if (leaf == 7 && part == 0) {
        b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31)); /* AVX-512 */
        c &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14));                                  /* more of it */
        d &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25));               /* and AMX */
    }
    if (leaf == 7 && part == 1) {
        a &= ~(BIT(4) | BIT(5) | BIT(21) | BIT(23)); /* AVX-VNNI, bfloat16, float16 of AMX */
        d = 0;
    }
    registers[REG_RAX] = a;
    registers[REG_RBX] = b;
    registers[REG_RCX] = c;
    registers[REG_RDX] = d;
    registers[REG_RIP] += 2;
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = answer;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigaction(SIGSEGV, &action, NULL);
    cpuid_works(0);
}
