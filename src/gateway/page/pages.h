// The pages for people as HTML, and the same for scripts as JSON (docs/page.md). Pure functions: accounts and
// a request in, the body of the answer out. Nothing here locks, waits or asks the time.
#pragma once

#include "sqlbak_gateway/gateway/account_view.h"
#include "sqlbak_gateway/http/message.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sqlbak_gateway::gateway {

// What a page says about the gateway itself.
struct GatewayFacts {
  struct Configuration {
    bool last_reload_succeeded = true;
    SystemTime last_reload_success{};
    std::size_t files_rejected = 0;
  };
  std::string version;
  Duration uptime{};
  std::optional<Configuration> configuration;  // empty if the reader may not see it
  SystemTime now{};
};

enum class PageFormat { html, json };

// All accounts that the reader may see. The request's query chooses and sorts them; JSON has no paging.
std::string overview_page(const std::vector<AccountOnPage>& accounts, const http::Request& request,
                          PageFormat format, const GatewayFacts& gateway);

// One account with its jobs.
std::string account_page(const AccountOnPage& account, const http::Request& request, PageFormat format,
                         const GatewayFacts& gateway);

}  // namespace sqlbak_gateway::gateway
