#include <stdexcept>
#include <zlib.h>

#include "base/error.h"
#include "reports/html_internal.h"

namespace micius {

// Deflate with a gzip header that names neither time nor system: same bytes in, same bytes out.
std::string gzip(std::string_view bytes) {
  constexpr int kGzipWindow = 15 + 16, kMemoryLevel = 9;
  z_stream stream = {};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    fail(ErrorCode::kIo, "zlib cannot start: out of memory");
  std::string result(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int ended = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) fail(ErrorCode::kIo, "zlib cannot compress {} bytes", bytes.size());
  return result;
}

}  // namespace micius
