// The page for people: what it says of accounts, to whom, and in which form.
#include "gateway/gateway_world.h"
#include "gateway/page/page_assets.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace sqlbak_gateway::gateway {
namespace {

using nlohmann::json;
using std::chrono::hours;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What is wrong with the structure of a document: elements that do not close in order, ids used twice,
// attributes without quotes. Empty: nothing. Not a validator; enough to catch a slip.
std::string malformed(std::string_view html) {
  static const std::set<std::string_view> kVoid = {"meta", "link", "input"};
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";
  constexpr std::string_view kDoctype = "<!DOCTYPE html>";
  if (!html.starts_with(kDoctype)) return "no doctype";
  html.remove_prefix(kDoctype.size());
  std::vector<std::string_view> open;
  std::set<std::string_view> ids;
  while (!(html = html.substr(std::min(html.find('<'), html.size()))).empty()) {
    html.remove_prefix(1);
    const bool closes = html.starts_with('/');
    if (closes) html.remove_prefix(1);
    const std::string_view name = html.substr(0, html.find_first_not_of(kLetters));
    if (name.empty()) return "a '<' that is no tag: " + std::string(html.substr(0, 40));
    html.remove_prefix(name.size());
    while (html.starts_with(' ')) {
      html.remove_prefix(1);
      const std::string_view attribute = html.substr(0, html.find_first_not_of(kLetters));
      if (attribute.empty()) return "<" + std::string(name) + "> has a blank without an attribute";
      html.remove_prefix(attribute.size());
      if (!html.starts_with("=\"")) continue;
      html.remove_prefix(2);
      const std::string_view value = html.substr(0, html.find('"'));
      html.remove_prefix(std::min(value.size() + 1, html.size()));
      if (attribute == "id" && !ids.insert(value).second) return "id used twice: " + std::string(value);
    }
    if (!html.starts_with('>')) return "<" + std::string(name) + "> does not end";
    if (closes) {
      if (open.empty() || open.back() != name) return "</" + std::string(name) + "> closes nothing";
      open.pop_back();
    } else if (!kVoid.contains(name)) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "<" + std::string(open.back()) + "> is not closed";
}

class PageTest : public testing::GatewayWorld {
 protected:
  PageTest() {
    for (const char* name : {"acme", "globex", "initech"}) configured(name).labels["customer"] = name;
  }
  void collect_all() {
    for (const auto& [name, config] : configuration.accounts) probe(name);
    let_collections_end();
  }
  std::string html(std::string path, std::vector<http::NamedValue> query = {}) {
    const http::Response response = get(std::move(path), std::move(query));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
    EXPECT_EQ(malformed(*response.body), "");
    return *response.body;
  }
  json document(std::string path, std::vector<http::NamedValue> query = {}) {
    const http::Response response = get(std::move(path), std::move(query));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "application/json");
    return json::parse(*response.body);
  }
  // Of the overview, in its order.
  std::vector<std::string> names(std::vector<http::NamedValue> query = {}) {
    std::vector<std::string> names;
    const json page = document("/accounts.json", std::move(query));
    for (const json& account : page.at("accounts")) names.push_back(account.at("account"));
    return names;
  }
  std::vector<std::string> jobs_of(const std::string& account, std::vector<http::NamedValue> query) {
    std::vector<std::string> names;
    const json page = document("/accounts/" + account + ".json", std::move(query));
    for (const json& job : page.at("job_list")) names.push_back(job.at("name"));
    return names;
  }
  json account(const std::string& name) { return document("/accounts/" + name + ".json"); }
  static std::string header(const http::Response& response, std::string_view name) {
    for (const http::NamedValue& each : response.headers) {
      if (each.name == name) return each.value;
    }
    return "";
  }
};

TEST_F(PageTest, UnprobedAccountIsWaiting) {
  const json acme = account("acme");
  EXPECT_EQ(acme.at("state"), "waiting");
  EXPECT_THAT(acme.at("reasons").dump(), HasSubstr("not probed yet"));
  // Not known is not zero.
  EXPECT_TRUE(acme.at("jobs").is_null());
  EXPECT_TRUE(acme.at("servers_offline").is_null());
  EXPECT_TRUE(acme.at("data_from").is_null());
  EXPECT_TRUE(acme.at("last_collection").is_null());
  EXPECT_THAT(html("/"), AllOf(HasSubstr("Waiting for the first probe"), HasSubstr("no data")));
  EXPECT_THAT(html("/accounts/acme"), HasSubstr("Nothing has been read of this account yet"));
}

TEST_F(PageTest, AccountsAreSortedWorstFirstWithReasons) {
  collect_all();
  EXPECT_EQ(names().back(), "acme");
  EXPECT_EQ(account("globex").at("state"), "at-risk");
  EXPECT_THAT(account("globex").at("reasons").dump(), HasSubstr("CRM"));
  EXPECT_EQ(account("initech").at("state"), "at-risk");
  EXPECT_THAT(account("initech").at("reasons").front(), "1 job late: Payroll");
  EXPECT_EQ(account("acme").at("state"), "attention");
  EXPECT_THAT(account("acme").at("reasons"),
              ElementsAre("1 server offline: acme-branch", "1 server without a backup job"));
  EXPECT_THAT(html("/"), HasSubstr("2 accounts at risk"));
}

TEST_F(PageTest, SummaryCountsMatchTheFleetDashboard) {
  collect_all();
  const json summary = document("/accounts.json").at("summary");
  EXPECT_EQ(summary, (json{{"accounts", 3}, {"at_risk", 2}, {"not_collected", 0}, {"stale", 0}}));
}

TEST_F(PageTest, FailedCollectionKeepsDataAndGivesAdvice) {
  collect_all();
  let_pass(std::chrono::minutes(10));
  fail_with("account=acme,status=401");
  probe("acme");
  let_collections_end();
  const json acme = account("acme");
  EXPECT_EQ(acme.at("state"), "not-collected");
  EXPECT_EQ(acme.at("not_collected"), true);
  EXPECT_EQ(acme.at("reasons").front(), "not collected: SqlBak refuses the token");
  EXPECT_THAT(std::string(acme.at("advice")), HasSubstr("Create a new token in SqlBak"));
  EXPECT_EQ(acme.at("last_collection").at("result"), "auth");
  EXPECT_FALSE(acme.at("jobs").is_null());
  EXPECT_EQ(acme.at("next_collection_in_seconds"), 30);
  EXPECT_EQ(acme.at("collections").size(), 2u);
  EXPECT_THAT(html("/"), HasSubstr("<b>To do:</b> Create a new token"));

  api.clear_faults();
  let_pass(std::chrono::seconds(31));
  probe("acme");
  let_collections_end();
  EXPECT_EQ(account("acme").at("state"), "attention");
  EXPECT_TRUE(account("acme").at("advice").is_null());
}

TEST_F(PageTest, DataWithoutProbesBecomeStale) {
  collect_all();
  let_pass(hours(2) + std::chrono::minutes(50));
  EXPECT_EQ(account("acme").at("stale"), false);
  let_pass(std::chrono::minutes(15));
  const json acme = account("acme");
  EXPECT_EQ(acme.at("state"), "stale");
  EXPECT_THAT(std::string(acme.at("reasons").front()), HasSubstr("the data are 3 h"));
  EXPECT_EQ(document("/accounts.json").at("summary").at("stale"), 3);
  // At risk goes before stale, but the subset has all that are stale.
  EXPECT_EQ(names({{"show", "stale"}}).size(), 3u);
  let_pass(hours(24));
  EXPECT_THAT(account("acme").at("reasons").dump(), HasSubstr("probes no longer return them"));
}

TEST_F(PageTest, AccountPageShowsJobsByType) {
  collect_all();
  const json globex = account("globex");
  std::map<std::string, json> jobs;
  for (const json& job : globex.at("job_list")) jobs[job.at("name")] = job;
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(globex.at("job_list").back().at("state"), "protected");
  EXPECT_EQ(jobs.at("CRM").at("state"), "failing");
  EXPECT_EQ(jobs.at("CRM").at("databases_failing"), 1);
  EXPECT_EQ(jobs.at("CRM").at("server"), "globex-db-1");
  const json& full = jobs.at("Warehouse").at("types").front();
  EXPECT_EQ(full.at("type"), "full");
  EXPECT_EQ(full.at("max_age_source"), "inferred");
  EXPECT_EQ(full.at("last_attempt_succeeded"), false);
  EXPECT_GT(full.at("consecutive_failures"), 1);
  EXPECT_EQ(full.at("retention_days"), 10);
  EXPECT_THAT(html("/accounts/globex"),
              AllOf(HasSubstr("Warehouse"), HasSubstr("inferred"), HasSubstr("1 database fails")));
}

TEST_F(PageTest, UnreadableJobsAreAReason) {
  fail_with("account=globex,endpoint=settings,status=500,path=*101*");
  collect_all();
  EXPECT_THAT(account("globex").at("reasons").dump(), HasSubstr("1 job could not be read"));
}

TEST_F(PageTest, RetentionViolationIsShown) {
  collect_all();
  const json jobs = account("initech").at("job_list");
  const auto timesheets =
      std::find_if(jobs.begin(), jobs.end(), [](const json& job) { return job.at("name") == "Timesheets"; });
  EXPECT_EQ(timesheets->at("types").front().at("retention"), "violated");
  EXPECT_THAT(html("/accounts/initech"), HasSubstr("3 days: expired, and not deleted"));
}

TEST_F(PageTest, ThrottledCollectionSaysHowLongItWaited) {
  fail_with("account=acme,endpoint=jobs,status=429,retry_after=30s,first=1");
  collected("acme");
  EXPECT_THAT(html("/accounts/acme"), ContainsRegex("<small>3[0-9] s of it waiting for rate limits</small>"));
}

TEST_F(PageTest, UnmatchedOverridesAreShown) {
  configuration.accounts.at("acme").jobs.push_back(
      {.selector = "Misspelt", .ignore = true, .max_age = {}, .place = {}});
  configuration.accounts.at("acme").jobs.push_back(
      {.selector = "ERP", .ignore = true, .max_age = {}, .place = {}});
  collect_all();
  const json acme = account("acme");
  ASSERT_EQ(acme.at("overrides_to_correct").size(), 1u);
  EXPECT_THAT(std::string(acme.at("overrides_to_correct").front()),
              HasSubstr("jobs.\"Misspelt\" matches nothing"));
  EXPECT_THAT(html("/accounts/acme"), HasSubstr("Overrides to correct"));
  EXPECT_THAT(acme.at("reasons").dump(), HasSubstr("1 override does not match"));
}

TEST_F(PageTest, IgnoredServerNeedsNoAttention) {
  configuration.accounts.at("acme").servers.push_back(
      {.selector = "acme-branch", .ignore = true, .place = {}});
  collect_all();
  const json acme = account("acme");
  EXPECT_THAT(acme.at("reasons"), IsEmpty());
  EXPECT_EQ(acme.at("state"), "well");
  EXPECT_EQ(acme.at("servers_offline"), 1) << "as SqlBak says";
}

TEST_F(PageTest, ServerSortsAndFilters) {
  collect_all();
  EXPECT_THAT(names({{"sort", "account"}}), ElementsAre("acme", "globex", "initech"));
  EXPECT_THAT(names({{"sort", "account"}, {"order", "desc"}}), ElementsAre("initech", "globex", "acme"));
  EXPECT_EQ(names({{"sort", "failing"}}).front(), "globex");
  EXPECT_EQ(names({{"order", "asc"}}).front(), "acme");
  EXPECT_THAT(names({{"q", "GLOB"}}), ElementsAre("globex"));
  EXPECT_THAT(names({{"q", "attention"}}), ElementsAre("acme"));
  EXPECT_THAT(names({{"q", "globex acme"}}), ElementsAre());
  EXPECT_THAT(names({{"show", "attention"}}), ElementsAre("acme"));
  EXPECT_THAT(html("/", {{"q", "nobody"}}), HasSubstr("Nothing matches"));
  EXPECT_THAT(
      html("/", {{"sort", "late"}, {"q", "a"}}),
      AllOf(HasSubstr("aria-sort=\"descending\""), HasSubstr("href=\"?q=a&amp;sort=late&amp;order=asc\"")));
  EXPECT_THAT(jobs_of("globex", {{"sort", "job"}}), ElementsAre("Billing", "CRM", "Warehouse"));
  EXPECT_THAT(jobs_of("globex", {{"sort", "job"}, {"order", "desc"}}),
              ElementsAre("Warehouse", "CRM", "Billing"));
  EXPECT_THAT(jobs_of("globex", {{"sort", "server"}}), ElementsAre("CRM", "Warehouse", "Billing"));
  EXPECT_THAT(jobs_of("globex", {{"sort", "success"}}), ElementsAre("Warehouse", "Billing", "CRM"));
  EXPECT_THAT(html("/accounts/globex", {{"q", "billing"}}),
              AllOf(HasSubstr(">Billing<"), Not(HasSubstr(">Warehouse<"))));
  EXPECT_THAT(html("/accounts/globex", {{"show", "failing"}}),
              AllOf(HasSubstr(">CRM<"), Not(HasSubstr(">Billing<"))));
}

TEST_F(PageTest, NamesFromTheApiAreEscaped) {
  const std::string hostile = "</td><script>alert(1)</script>\" onmouseover='x' \xE2\x80\xAE&amp;";
  api.with([&](simulator::World& world) {
    simulator::Account& globex = *world.find("globex");
    globex.job(globex.job_named("CRM")).name = hostile;
    simulator::Account& acme = *world.find("acme");
    acme.server(acme.server_named("acme-branch")).name = hostile;
    return 0;
  });
  configuration.accounts.at("initech").labels["note"] = hostile;
  collect_all();
  for (const std::string path : {"/", "/accounts/globex", "/accounts/acme", "/accounts/initech"}) {
    const std::string page = html(path);
    EXPECT_THAT(page, AllOf(Not(HasSubstr("<script>alert")), HasSubstr("&lt;script&gt;alert(1)"))) << path;
  }
  EXPECT_THAT(html("/", {{"q", "\"><script>"}}), HasSubstr("value=\"&quot;&gt;&lt;script&gt;\""));
  EXPECT_THAT(account("globex").at("reasons").dump(), HasSubstr("<script>alert"));
}

TEST_F(PageTest, LongNamesAreCutBetweenCharacters) {
  std::string endless;
  for (int i = 0; i < 1000; ++i) endless += "ü";
  api.with([&](simulator::World& world) {
    simulator::Account& globex = *world.find("globex");
    globex.job(globex.job_named("CRM")).name = endless;
    return 0;
  });
  collect_all();
  const std::string page = html("/accounts/globex");
  EXPECT_TRUE(is_valid_utf8(page));
  EXPECT_THAT(page, AllOf(HasSubstr(endless.substr(0, 120) + "…"), Not(HasSubstr(endless.substr(0, 130)))));
}

TEST_F(PageTest, SecurityHeadersAreSet) {
  for (const std::string path : {"/", "/accounts/acme", "/accounts.json", "/accounts/acme.json"}) {
    const http::Response response = get(path);
    EXPECT_THAT(header(response, "Content-Security-Policy"),
                AllOf(HasSubstr("default-src 'none'"), HasSubstr("script-src 'self'"),
                      HasSubstr("frame-ancestors 'none'"), Not(HasSubstr("unsafe"))))
        << path;
    EXPECT_EQ(header(response, "Cache-Control"), "no-store");
    EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(header(response, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(header(response, "Vary"), "Accept");  // of big answers Accept-Encoding too: RoutesTest
    // Nothing inline, which the policy would forbid, and nothing from elsewhere.
    EXPECT_THAT(*response.body,
                AllOf(Not(HasSubstr("style=")), Not(HasSubstr("<style")), Not(HasSubstr("<script>")),
                      Not(HasSubstr("src=\"http")), Not(HasSubstr("href=\"http"))));
  }
}

TEST_F(PageTest, AssetsAreServed) {
  const std::string page = html("/");
  for (const PageAsset asset : kPageAssets) {
    EXPECT_THAT(page, HasSubstr("\"" + address(asset) + "\""));
    EXPECT_THAT(html("/accounts/acme"), HasSubstr("\"../" + address(asset) + "\""));
    const http::Response response = get(std::string(path(asset)));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, content_type(asset));
    EXPECT_EQ(header(response, "X-Content-Type-Options"), "nosniff");
  }
  EXPECT_EQ(get("/assets/nothing.css").status, 404);
}

TEST_F(PageTest, AcceptHeaderChoosesJson) {
  const auto type = [&](const char* accept) { return get("/", {}, {{"Accept", accept}}).content_type; };
  const std::string html_type = "text/html; charset=utf-8";
  EXPECT_EQ(type("application/json"), "application/json");
  EXPECT_EQ(type("application/json, text/plain, */*"), "application/json");
  EXPECT_EQ(type("text/html;q=0.5, APPLICATION/JSON"), "application/json");
  EXPECT_EQ(type("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), html_type);
  EXPECT_EQ(type("text/html, application/json"), html_type);
  EXPECT_EQ(type("application/json;q=0"), html_type);
  EXPECT_EQ(type("*/*"), html_type);
  EXPECT_EQ(type(""), html_type);
  EXPECT_EQ(get("/accounts/acme", {}, {{"Accept", "application/json"}}).content_type, "application/json");
}

TEST_F(PageTest, AccountNameMayEndInJson) {
  configured("acme.json").token.name = variable("globex");
  EXPECT_EQ(get("/accounts/acme.json").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(account("acme.json").at("account"), "acme.json");
  EXPECT_EQ(account("globex").at("account"), "globex");
}

TEST_F(PageTest, LargePagesAreCompressed) {
  const http::Response response = get("/", {}, {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(response.content_encoding, "gzip");
  EXPECT_LT(response.body->size(), get("/").body->size());
}

TEST_F(PageTest, PagesAreUrgentRequests) {
  for (const char* path :
       {"/", "/accounts/acme", "/accounts/acme.json", "/accounts.json", "/assets/page.css"}) {
    EXPECT_EQ(routes().urgency(path), http::Urgency::urgent) << path;
  }
}

TEST_F(PageTest, PathLabelsAreAFixedList) {
  EXPECT_EQ(path_label("/accounts/acme"), "/accounts/");
  EXPECT_EQ(path_label("/accounts/anything/else"), "/accounts/");
  EXPECT_EQ(path_label("/accounts.json"), "/accounts.json");
  EXPECT_EQ(path_label("/assets/nothing"), "/assets/");
  EXPECT_EQ(path_label("/accounts/"), "other");
  EXPECT_EQ(path_label("/accounts"), "other");
}

TEST_F(PageTest, FailedReloadIsShown) {
  EXPECT_THAT(html("/"), HasSubstr("configuration loaded"));
  EXPECT_EQ(document("/accounts.json").at("gateway").at("configuration").at("last_reload_successful"), true);
  next_load_fails = true;
  EXPECT_FALSE(reload_configuration().ok());
  EXPECT_THAT(html("/"), HasSubstr("the last reload failed"));
  EXPECT_EQ(document("/accounts.json").at("gateway").at("configuration").at("last_reload_successful"), false);
}

TEST_F(PageTest, OldestDataComeFirstWhenSortedByAge) {
  probe("acme");
  let_collections_end();
  let_pass(std::chrono::minutes(10));
  probe("globex");
  let_collections_end();
  EXPECT_THAT(names({{"sort", "age"}}), ElementsAre("initech", "acme", "globex"));
  EXPECT_THAT(names({{"sort", "age"}, {"order", "asc"}}), ElementsAre("globex", "acme", "initech"));
}

class InitialCollectionTest : public testing::GatewayWorld {
 protected:
  InitialCollectionTest() : GatewayWorld(one_large_account()) { configured("large").requests_per_second = 5; }
};

TEST_F(InitialCollectionTest, WaitsForAVerdictAndSaysHowFarItIs) {
  probe("large");
  let_collections_end(std::chrono::seconds(20));
  const json large = json::parse(*get("/accounts/large.json").body);
  EXPECT_EQ(large.at("state"), "waiting");
  EXPECT_EQ(large.at("reasons").back(), "initial collection: 1 of 20 jobs read");
  EXPECT_EQ(large.at("jobs").at("unknown"), 19) << "jobs that have not been read yet";
}

class ManyAccountsTest : public PageTest {
 protected:
  ManyAccountsTest() {
    for (int i = 0; i < 997; ++i)
      configured("customer-" + std::to_string(1000 + i)).labels["tier"] = i % 2 ? "gold" : "tin";
  }
};

TEST_F(ManyAccountsTest, HtmlIsPagedAndJsonIsNot) {
  const std::string first = html("/", {{"sort", "account"}});
  EXPECT_THAT(first, AllOf(HasSubstr("1–100 of 1,000 accounts"), HasSubstr("Page 1 of 10"),
                           HasSubstr("sort=account&amp;page=2"), Not(HasSubstr("Previous"))));
  const std::string last = html("/", {{"sort", "account"}, {"page", "99"}});
  EXPECT_THAT(last,
              AllOf(HasSubstr("901–1,000 of 1,000 accounts"), HasSubstr("initech"), Not(HasSubstr("Next"))));
  EXPECT_THAT(html("/", {{"q", "gold 1001"}}), HasSubstr(">1 account<"));
  EXPECT_EQ(names().size(), 1000u);
  // One bad account among a thousand is the first.
  probe("globex");
  let_collections_end();
  EXPECT_EQ(names().front(), "globex");
}

class TenantsTest : public PageTest {
 protected:
  TenantsTest() {
    add("tenant", {"acme", "acme.json"});
    add("operator", {"*"});
  }
  void add(const std::string& name, std::vector<std::string> accounts) {
    environment["SCRAPE_" + name] = "token-of-" + name;
    config::AccessEntry entry;
    entry.name = name;
    entry.bearer_token = config::TokenSource{config::TokenSource::Kind::environment, "SCRAPE_" + name, ""};
    entry.accounts = std::move(accounts);
    configuration.access.push_back(std::move(entry));
  }
  http::Response as(const std::string& name, std::string path, std::string accept = "text/html") {
    return get(std::move(path), {},
               {{"Authorization", "Bearer token-of-" + name}, {"Accept", std::move(accept)}});
  }
};

TEST_F(TenantsTest, ReadersSeeOnlyTheirAccounts) {
  collect_all();
  for (const http::Response& page :
       {get("/"), get("/accounts/acme"), get("/accounts.json"), get("/assets/page.css")})
    EXPECT_EQ(page.status, 401);
  const std::string overview = *as("tenant", "/").body;
  EXPECT_THAT(overview,
              AllOf(HasSubstr("acme"), Not(HasSubstr("globex")), Not(HasSubstr("2 accounts at risk"))));
  const json document = json::parse(*as("tenant", "/", "application/json").body);
  EXPECT_EQ(document.at("summary").at("accounts"), 1);
  EXPECT_EQ(document.at("summary").at("at_risk"), 0);
  EXPECT_EQ(as("tenant", "/accounts/acme").status, 200);
  EXPECT_EQ(json::parse(*as("operator", "/accounts.json").body).at("summary").at("accounts"), 3);
}

TEST_F(TenantsTest, HiddenAccountLooksUnknown) {
  for (const char* suffix : {"", ".json"}) {
    const http::Response hidden = as("tenant", std::string("/accounts/globex") + suffix);
    const http::Response unknown = as("tenant", std::string("/accounts/umbrella") + suffix);
    EXPECT_EQ(hidden.status, 404);
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(*hidden.body, *unknown.body);
    EXPECT_EQ(hidden.headers, unknown.headers);
  }
}

TEST_F(TenantsTest, OnlyOperatorsSeeTheConfiguration) {
  EXPECT_THAT(*as("operator", "/").body, AllOf(HasSubstr("configuration loaded"), HasSubstr("metrics\"")));
  EXPECT_THAT(*as("tenant", "/").body,
              AllOf(Not(HasSubstr("configuration loaded")), Not(HasSubstr("metrics\""))));
}

}  // namespace
}  // namespace sqlbak_gateway::gateway
