// What programs in the sandbox may ask of the kernel.
#pragma once

#include <string>

namespace micius {

// The seccomp filter as an array of the kernel's instructions (sock_filter). Throws Error{kIo} where
// libseccomp fails.
std::string seccomp_filter();

}  // namespace micius
