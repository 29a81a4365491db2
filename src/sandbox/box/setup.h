// The inside of a box: a user, a process tree and folders of its own. Everything here throws
// std::runtime_error where the kernel refuses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace micius {

[[noreturn]] void refuse(const std::string& what);  // throws with errno's words

// Forks into new user, mount and process namespaces; returns as fork() does.
int fork_into_box();

// For the first process of a box, before anything else: user 1000, fresh /proc, /job, /tmp, /home/user and
// /run/micius, and no other process may look into this one.
void set_up_box();

void show_python();  // which is hidden until then

void size_folders(std::int64_t bytes);  // of /job, /tmp and /home/user, each

// Links each name to the client and listens where it will ask; returns the listening socket, which never
// blocks.
int open_served_socket(const std::vector<std::string>& names);

// No more changes of mounts: keeps only what reading and ending the box's own processes takes.
void keep_few_capabilities();

}  // namespace micius
