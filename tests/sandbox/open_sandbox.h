// The sandbox of the tests.
#pragma once

#include "sandbox/sandbox.h"
#include "source_tree.h"

namespace micius {

inline SandboxOffer open_test_sandbox(int lanes, const std::filesystem::path& programs = built_inside()) {
  SandboxOptions options;
  options.box_program = programs / "micius-box";
  options.client_program = programs / "micius-test-client";
  options.lanes = lanes;
  return make_sandbox(options);
}

inline ExecRequest shell(const std::string& script) {
  ExecRequest request;
  request.argv = {"bash", "--noprofile", "--norc", "-c", script};
  return request;
}

}  // namespace micius
