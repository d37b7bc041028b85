// The page for people, as HTML and JSON.
#include "gateway/page/page_assets.h"
#include "gateway/page/pages.h"
#include "gateway/routes/handlers.h"
#include "gateway/routes/responses.h"

#include <optional>

namespace sqlbak_gateway::gateway {
namespace {

constexpr std::string_view kAccountPages = "/accounts/";

GatewayFacts facts_for(const Asked& asked) {
  GatewayFacts facts;
  facts.version = build_info().version;
  facts.uptime = asked.clock.steady_now() - asked.started;
  facts.now = asked.clock.system_now();
  if (asked.caller.operator_rights) {
    const Gateway::ReloadState reload = asked.gateway.reload_state();
    facts.configuration = {reload.succeeded, reload.last_success, asked.now.files_rejected};
  }
  return facts;
}

PageFormat preferred_format(const http::Request& request) {
  return prefers_json(request) ? PageFormat::json : PageFormat::html;
}

http::Response answered(std::string page, PageFormat format) {
  return page_response(std::move(page), format == PageFormat::json ? kJsonType : kHtmlType);
}

http::Response overview_as(const Asked& asked, PageFormat format) {
  return answered(overview_page(asked.now.visible_to(asked.caller), asked.request, format, facts_for(asked)),
                  format);
}

}  // namespace

http::Response answer_overview(const Asked& asked) {
  return overview_as(asked, preferred_format(asked.request));
}

http::Response answer_overview_json(const Asked& asked) {
  return overview_as(asked, PageFormat::json);
}

http::Response answer_account(const Asked& asked) {
  std::string_view name = asked.request.path;
  name.remove_prefix(kAccountPages.size());
  const auto visible = [&](std::string_view account) {
    return asked.caller.may_see(account) ? asked.now.find(account) : nullptr;
  };
  constexpr std::string_view kSuffix = ".json";
  PageFormat format = preferred_format(asked.request);
  const ConfiguredAccount* account = visible(name);
  // An account may be called "acme.json": its name goes before the suffix.
  if (!account && name.ends_with(kSuffix)) {
    name.remove_suffix(kSuffix.size());
    account = visible(name);
    format = PageFormat::json;
  }
  if (!account) return no_such_account();
  return answered(account_page(account->on_page(), asked.request, format, facts_for(asked)), format);
}

http::Response answer_asset(const Asked& asked) {
  const std::optional<PageAsset> asset = page_asset(asked.request.path);
  return asset ? asset_response(*asset) : no_such_page();
}

}  // namespace sqlbak_gateway::gateway
