// How a vector stands in JSON: the encoding_format of OpenAI's embeddings.
#pragma once

namespace micius {

enum class VectorEncoding {
  kFloats,  // a list of numbers
  kBase64,  // of the little-endian floats: a fifth of the bytes
};

}  // namespace micius
