#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

int main(int argc, char** argv) {
  Catch::Session session;
  // A name that CTest cannot hand on as it is would else pass without being run.
  session.configData().warnings = Catch::WarnAbout::NoTests;
  return session.run(argc, argv);
}
