// The page for people as HTML: a model in, a document out. Pure. It works without JavaScript: sorting,
// filters and paging are links and a form. Regions with an id and `data-live` are what page.js replaces when
// it refreshes; addresses are relative, so that a proxy may put the gateway below a path.
#pragma once

#include "gateway/page/page_model.h"

#include <string>

namespace sqlbak_gateway::gateway {

std::string to_html(const Overview& page);
std::string to_html(const AccountDetail& page);

}  // namespace sqlbak_gateway::gateway
