#include "gateway/page/html.h"

#include "sqlbak_gateway/base/text.h"

namespace sqlbak_gateway::gateway {

void append_escaped(std::string& html, std::string_view text) {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = valid_utf8(text);
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        const bool control = (byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7f;
        if (control) {
          html += "\xEF\xBF\xBD";
        } else {
          html += c;
        }
      }
    }
  }
}

}  // namespace sqlbak_gateway::gateway
