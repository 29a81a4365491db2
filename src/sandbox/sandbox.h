// The sandbox: bubblewrap's namespaces, a program of ours as their first process, a fresh box for each
// request.
//
//   const SandboxOffer offer = make_sandbox({.box_program = ".../micius-box"});
//   if (offer.sandbox) offer.sandbox->run({.argv = {"bash", "-c", "echo hello"}}).out;  // "hello\n"
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/sandbox.h"

namespace micius {

// The programs of this machine that are there inside, of those that it has, beside python3 with its standard
// library.
std::vector<std::string> default_tools();

struct SandboxOptions {
  std::filesystem::path box_program;     // micius-box
  std::filesystem::path client_program;  // micius-emu; empty: requests with served programs are refused
  std::vector<std::string> tools = default_tools();
  int lanes = 0;  // requests that run at the same time; 0: as many as the machine has threads
};

struct SandboxOffer {
  std::unique_ptr<Sandbox> sandbox;  // null where there can be none
  std::string why_not;               // and then the reason and what to do
  std::string what;  // else what was found, for people: "bubblewrap, seccomp, control groups; python3.11"
};

// Starts one lane and tries it. As root the sandbox runs as the user nobody.
SandboxOffer make_sandbox(const SandboxOptions& options);

}  // namespace micius
