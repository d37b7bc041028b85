// The page for people, as HTML and JSON.
#include "gateway/page/page_assets.h"
#include "gateway/page/page_html.h"
#include "gateway/page/page_json.h"
#include "gateway/page/page_model.h"
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

template <typename Page>
http::Response rendered(const Page& page, bool json) {
  return json ? page_response(to_json(page), kJsonType) : page_response(to_html(page), kHtmlType);
}

http::Response overview_as(const Asked& asked, bool json) {
  const ListQuery query = list_query(asked.request, account_subsets(), account_orders());
  return rendered(overview(asked.now.visible_to(asked.caller), query,
                           json ? Paging::everything : Paging::pages, facts_for(asked)),
                  json);
}

}  // namespace

http::Response answer_overview(const Asked& asked) {
  return overview_as(asked, prefers_json(asked.request));
}

http::Response answer_overview_json(const Asked& asked) {
  return overview_as(asked, true);
}

http::Response answer_account(const Asked& asked) {
  std::string_view name = asked.request.path;
  name.remove_prefix(kAccountPages.size());
  const auto visible = [&](std::string_view account) {
    return asked.caller.may_see(account) ? asked.now.find(account) : nullptr;
  };
  constexpr std::string_view kSuffix = ".json";
  bool json = prefers_json(asked.request);
  const ConfiguredAccount* account = visible(name);
  // An account may be called "acme.json": its name goes before the suffix.
  if (!account && name.ends_with(kSuffix)) {
    name.remove_suffix(kSuffix.size());
    account = visible(name);
    json = true;
  }
  if (!account) return no_such_account();
  const ListQuery query = list_query(asked.request, job_subsets(), job_orders());
  return rendered(account_detail(account->on_page(), query,
                                 json ? Paging::everything : Paging::pages, facts_for(asked)),
                  json);
}

http::Response answer_asset(const Asked& asked) {
  const std::optional<PageAsset> asset = page_asset(asked.request.path);
  return asset ? asset_response(*asset) : no_such_page();
}

}  // namespace sqlbak_gateway::gateway
