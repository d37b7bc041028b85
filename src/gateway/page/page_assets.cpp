#include "gateway/page/page_assets.h"

#include "gateway/page/asset_files.h"
#include "sqlbak_gateway/base/hash.h"

#include <algorithm>

namespace sqlbak_gateway::gateway {
namespace {

struct Known {
  std::string_view path;
  std::string_view content_type;
  std::string_view content;
};

constexpr std::array<Known, kPageAssets.size()> kKnown = {{
    {"/assets/page.css", "text/css; charset=utf-8", kPageCss},
    {"/assets/page.js", "text/javascript; charset=utf-8", kPageJs},
    {"/assets/icon.svg", "image/svg+xml", kIconSvg},
}};

const Known& known(PageAsset asset) {
  return kKnown[static_cast<std::size_t>(asset)];
}

}  // namespace

std::string_view path(PageAsset asset) {
  return known(asset).path;
}

std::string_view content_type(PageAsset asset) {
  return known(asset).content_type;
}

std::string_view content(PageAsset asset) {
  return known(asset).content;
}

const std::string& address(PageAsset asset) {
  static const std::array<std::string, kPageAssets.size()> addresses = [] {
    std::array<std::string, kPageAssets.size()> made;
    for (const PageAsset each : kPageAssets) {
      made[static_cast<std::size_t>(each)] =
          std::string(path(each).substr(1)) + "?v=" + keyed_hash("page asset", content(each)).substr(0, 12);
    }
    return made;
  }();
  return addresses[static_cast<std::size_t>(asset)];
}

std::optional<PageAsset> page_asset(std::string_view path) {
  for (const PageAsset asset : kPageAssets) {
    if (gateway::path(asset) == path) return asset;
  }
  return std::nullopt;
}

}  // namespace sqlbak_gateway::gateway
