// What the pages for people need beside their HTML: a stylesheet, a script and an icon. They are files in
// src/gateway/page/assets, built into the program. Constant data.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace sqlbak_gateway::gateway {

enum class PageAsset { stylesheet, script, icon };
inline constexpr std::array kPageAssets = {PageAsset::stylesheet, PageAsset::script, PageAsset::icon};

// Its path on the server: "/assets/page.css".
std::string_view path(PageAsset asset);
std::string_view content_type(PageAsset asset);
std::string_view content(PageAsset asset);
// Where a page finds it, relative to `/`; another content has another address, so that it may be cached.
const std::string& address(PageAsset asset);

std::optional<PageAsset> page_asset(std::string_view path);

}  // namespace sqlbak_gateway::gateway
