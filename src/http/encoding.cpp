#include "sqlbak_gateway/http/encoding.h"

#include "sqlbak_gateway/base/text.h"

#include <limits>
#include <new>
#include <optional>

#define ZLIB_CONST  // zlib then takes its input as const
#include <zlib.h>

namespace sqlbak_gateway::http {
namespace {

// RFC 9110, 12.4.2: "0", "0.5", "1.000"; in thousandths, empty if malformed.
std::optional<int> parse_weight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  int weight = (text[0] - '0') * 1000;
  if (text.size() == 1) return weight;
  if (text[1] != '.' || text.size() > 5) return std::nullopt;
  int unit = 100;
  for (const char digit : text.substr(2)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  if (weight > 1000) return std::nullopt;
  return weight;
}

// The weight of one element of Accept-Encoding, "gzip;q=0.5", of which `parameters` is what follows the name.
int weight_of(std::string_view parameters) {
  parameters = trimmed(parameters);
  if (parameters.empty()) return 1000;
  const bool weighted =
      parameters.size() > 2 && (parameters[0] == 'q' || parameters[0] == 'Q') && parameters[1] == '=';
  return weighted ? parse_weight(parameters.substr(2)).value_or(0) : 0;
}

}  // namespace

std::string gzip(std::string_view text) {
  constexpr int kLevel = 4;
  constexpr int kWindowBits = 15 + 16;  // 16: a gzip header and trailer
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string compressed(deflateBound(&stream, text.size()), '\0');
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  std::size_t room = compressed.size();
  std::size_t rest = text.size();
  // zlib counts in 32 bits.
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  stream.next_in = reinterpret_cast<const Bytef*>(text.data());
  int state = Z_OK;
  while (state == Z_OK) {
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(std::min(rest, kMost));
      rest -= stream.avail_in;
    }
    if (stream.avail_out == 0) {
      stream.avail_out = static_cast<uInt>(std::min(room, kMost));
      room -= stream.avail_out;
    }
    state = deflate(&stream, rest == 0 ? Z_FINISH : Z_NO_FLUSH);
  }
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

bool accepts_gzip(const Request& request) {
  int named = -1;     // the weight of gzip where it is named
  int wildcard = -1;  // of "*"
  for (const NamedValue& header : request.headers) {
    if (!equal_ignoring_case(header.name, "Accept-Encoding")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view element = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      const std::size_t semicolon = std::min(element.find(';'), element.size());
      const std::string_view coding = trimmed(element.substr(0, semicolon));
      const int weight = weight_of(element.substr(std::min(semicolon + 1, element.size())));
      if (equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip"))
        named = std::max(named, weight);
      if (coding == "*") wildcard = std::max(wildcard, weight);
    }
  }
  return named >= 0 ? named > 0 : wildcard > 0;
}

}  // namespace sqlbak_gateway::http
