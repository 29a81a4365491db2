// What a stopwatch can see of the kernel of decode_attention_kernel.h.
#pragma once

namespace micius {

// What a stopwatch is told of a warp, the last time that it comes there.
enum DecodePhase : unsigned {
  kPhaseEntry,    // starts
  kPhaseReady,    // knows its segment
  kPhaseFree,     // may read what the kernel before has written
  kPhaseQueries,  // has q
  kPhaseStage,    // has its last stage
  kPhaseSeen,     // is done with it
  kPhasePut,      // as are the others
  kPhaseMerged,   // the block's result is written
  kPhaseCounted,  // and it knows whether it is the last
  kPhaseEnd,
  kPhaseFirstCopy,  // of the warp that fetches
  kPhaseLastCopy,
  kDecodePhases
};

}  // namespace micius
