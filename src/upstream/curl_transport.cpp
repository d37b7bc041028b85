#include "sqlbak_gateway/upstream/curl_transport.h"

#include "sqlbak_gateway/base/loopback.h"
#include "sqlbak_gateway/base/text.h"
#include "sqlbak_gateway/upstream/retry.h"
#include "upstream/curl_failure.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <set>
#include <string.h>
#include <string_view>
#include <sys/socket.h>
#include <unordered_map>
#include <utility>

#include <curl/curl.h>
#include <openssl/ssl.h>

namespace sqlbak_gateway::upstream {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kMaxIdleHandles = 256;
// Sent but unacknowledged for so long, a connection is dead. Without it an HTTP/2 connection that lost its
// peer would take every call down with it until the kernel's own quarter of an hour is over.
constexpr unsigned kUnacknowledgedMilliseconds = 20'000;
// The authorities are read from their file once, not for every connection (20 to 30 ms), and again after
// this.
constexpr long kAuthoritiesSeconds = 3600;
constexpr Duration kLongestWait = std::chrono::minutes(1);

// Without the brackets of an IPv6 address, too.
std::string_view without_port(std::string_view host) {
  return host.starts_with('[') ? host.substr(1, host.find(']') - 1) : host.substr(0, host.find(':'));
}

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyCleanup>;

// The header lines of a call, wiped afterwards.
class HeaderLines {
 public:
  HeaderLines() = default;
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  ~HeaderLines() {
    for (curl_slist* line = lines_; line != nullptr; line = line->next)
      explicit_bzero(line->data, ::strlen(line->data));
    curl_slist_free_all(lines_);
  }

  void add(const Secret& line) { lines_ = curl_slist_append(lines_, std::string(line.reveal()).c_str()); }
  curl_slist* get() const { return lines_; }

 private:
  curl_slist* lines_ = nullptr;
};

// One call in flight.
struct Exchange {
  Call call;
  SteadyTime started;
  Easy easy;
  HeaderLines headers;
  Completion completion;
  std::size_t header_bytes = 0;
  bool headers_ended = false;  // with the empty line, which libcurl does not insist on
  bool headers_too_large = false;
  bool body_too_large = false;
  std::string proxy;  // how messages name it; empty if there is none
  std::array<char, CURL_ERROR_SIZE> error{};
};

template <typename T>
void set(CURL* easy, CURLoption option, T value) {
  [[maybe_unused]] const CURLcode code = curl_easy_setopt(easy, option, value);
  assert(code == CURLE_OK);
}

bool fits_a_header(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) { return c == '\0' || c == '\r' || c == '\n'; });
}

// The value of the header `name`, when the line is one of it.
std::optional<std::string_view> header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' ||
      !equal_ignoring_case(line.substr(0, name.size()), name)) {
    return std::nullopt;
  }
  return trimmed(line.substr(name.size() + 1));
}

// libcurl's callbacks return what they took; anything else ends the call.
std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMaxHeaderBytes) {
    exchange.headers_too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  const std::string_view line(data, size);
  if (line.substr(0, 5) == "HTTP/") {  // an interim answer's headers are not the answer's
    exchange.completion.retry_after.reset();
    exchange.completion.server_date.reset();
    exchange.headers_ended = false;
  } else if (trimmed(line).empty()) {
    exchange.headers_ended = true;
  } else if (const auto retry_after = header_value(line, "Retry-After")) {
    exchange.completion.retry_after = std::string(*retry_after);
  } else if (const auto date = header_value(line, "Date")) {
    exchange.completion.server_date = parse_http_date(*date);
  }
  return size;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (size > exchange.call.max_body_bytes - exchange.completion.body.size()) {
    exchange.body_too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  exchange.completion.body.append(data, size);
  return size;
}

int on_verbose(CURL*, curl_infotype type, char* data, std::size_t size, void* user) {
  if (type != CURLINFO_TEXT) return 0;
  if (auto proxy = proxy_of_environment({data, size}))
    static_cast<Exchange*>(user)->proxy = *std::move(proxy);
  return 0;
}

bool environment_names_a_proxy() {
  constexpr std::array kVariables = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  return std::any_of(kVariables.begin(), kVariables.end(),
                     [](const char* variable) { return std::getenv(variable) != nullptr; });
}

int on_socket(void*, curl_socket_t socket, curlsocktype) {
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMilliseconds,
               sizeof kUnacknowledgedMilliseconds);
  return CURL_SOCKOPT_OK;
}

// A read ends after a message that carries no data, such as the renewal of a key. With this mode, or with
// records read ahead, it goes on as long as such messages keep coming, and all other calls wait.
CURLcode on_tls_context(CURL*, void* context, void*) {
  auto* const tls = static_cast<SSL_CTX*>(context);
  SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_read_ahead(tls, 0);
  return CURLE_OK;
}

}  // namespace

struct CurlTransport::Impl {
  Impl(const Clock& time, CurlOptions with) : clock(time), options(std::move(with)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.idle_connections));
    const curl_version_info_data* built = curl_version_info(CURLVERSION_NOW);
    system_authorities = built->cainfo != nullptr ? built->cainfo : "/etc/ssl/certs/ca-certificates.crt";
    tls_is_openssl =
        built->ssl_version != nullptr && std::string_view(built->ssl_version).starts_with("OpenSSL/");
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (auto& [id, exchange] : exchanges) curl_multi_remove_handle(multi, exchange->easy.get());
    exchanges.clear();
    idle.clear();
    curl_multi_cleanup(multi);
    curl_global_cleanup();
  }

  // What all calls have in common. A handle keeps it from call to call.
  Easy new_easy() const {
    Easy owner(curl_easy_init());
    CURL* const easy = owner.get();
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // a name that is still being looked up is left to its thread
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_PATH_AS_IS, 1L);
    set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(easy, CURLOPT_CAPATH,
        nullptr);  // with a directory of them, libcurl reads the authorities for each connection
    set(easy, CURLOPT_CA_CACHE_TIMEOUT, kAuthoritiesSeconds);
    if (tls_is_openssl) set(easy, CURLOPT_SSL_CTX_FUNCTION, &on_tls_context);
    set(easy, CURLOPT_HTTP_VERSION,
        static_cast<long>(options.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    set(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate, br");
    set(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
    set(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // a proxy does not see the token
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy, CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(options.connect_timeout).count()));
    set(easy, CURLOPT_SOCKOPTFUNCTION, &on_socket);
    set(easy, CURLOPT_DEBUGFUNCTION, &on_verbose);
    set(easy, CURLOPT_HEADERFUNCTION, &on_header);
    set(easy, CURLOPT_WRITEFUNCTION, &on_body);
    return owner;
  }

  Easy take_easy() {
    if (idle.empty()) return new_easy();
    Easy easy = std::move(idle.back());
    idle.pop_back();
    return easy;
  }

  // The credentials of the call before are gone: see keep().
  void set_proxy(CURL* easy, const Peer& peer) const {
    if (!peer.proxy) {
      set(easy, CURLOPT_PROXY,
          is_loopback(without_port(host_of(peer.api_url))) ? "" : static_cast<const char*>(nullptr));
      set(easy, CURLOPT_NOPROXY, nullptr);
      return;
    }
    set(easy, CURLOPT_PROXY, peer.proxy->c_str());
    set(easy, CURLOPT_NOPROXY, "");
    if (peer.proxy_credentials.empty()) return;
    // libcurl percent-decodes both halves.
    const std::string_view credentials = peer.proxy_credentials.reveal();
    const auto colon = std::min(credentials.find(':'), credentials.size());
    const Secret encoded(percent_encoded(credentials.substr(0, colon)) + ":" +
                         percent_encoded(credentials.substr(std::min(colon + 1, credentials.size()))));
    set(easy, CURLOPT_PROXYUSERPWD, std::string(encoded.reveal()).c_str());
  }

  void begin(Exchange& exchange) {
    const Peer& peer = *exchange.call.peer;
    exchange.easy = take_easy();
    CURL* const easy = exchange.easy.get();
    exchange.headers.add(Secret("Accept: application/json"));
    exchange.headers.add(Secret("X-SqlBak-Token: " + std::string(exchange.call.token->reveal())));
    set(easy, CURLOPT_HTTPHEADER, exchange.headers.get());
    set(easy, CURLOPT_URL, (peer.api_url + exchange.call.target).c_str());
    set(easy, CURLOPT_PIPEWAIT, options.http2 && peer.api_url.compare(0, 6, "https:") == 0 ? 1L : 0L);
    set(easy, CURLOPT_CAINFO, peer.ca_file.empty() ? system_authorities.c_str() : peer.ca_file.c_str());
    set_proxy(easy, peer);
    if (peer.proxy) exchange.proxy = host_of(*peer.proxy);
    set(easy, CURLOPT_VERBOSE, !peer.proxy && environment_names_a_proxy() ? 1L : 0L);
    set(easy, CURLOPT_DEBUGDATA, &exchange);
    set(easy, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(exchange.call.max_body_bytes));
    set(easy, CURLOPT_ERRORBUFFER, exchange.error.data());
    set(easy, CURLOPT_HEADERDATA, &exchange);
    set(easy, CURLOPT_WRITEDATA, &exchange);
    set(easy, CURLOPT_PRIVATE, &exchange);
    curl_multi_add_handle(multi, easy);
  }

  // Takes a call out of libcurl's hands; its handle is kept for another one.
  std::unique_ptr<Exchange> release(std::uint64_t id) {
    const auto found = exchanges.find(id);
    std::unique_ptr<Exchange> exchange = std::move(found->second);
    exchanges.erase(found);
    deadlines.erase({exchange->call.deadline, id});
    CURL* const easy = exchange->easy.get();
    curl_multi_remove_handle(multi, easy);
    return exchange;
  }

  void keep(Easy easy) {
    if (idle.size() >= kMaxIdleHandles) return;
    // Nothing of the call must be left behind that a later one could touch.
    set(easy.get(), CURLOPT_HTTPHEADER, nullptr);
    set(easy.get(), CURLOPT_PROXYUSERPWD, nullptr);
    set(easy.get(), CURLOPT_ERRORBUFFER, nullptr);
    idle.push_back(std::move(easy));
  }

  void complete(std::unique_ptr<Exchange> exchange, std::optional<Completion::Failure> failure) {
    Completion& completion = exchange->completion;
    completion.id = exchange->call.id;
    completion.elapsed = clock.steady_now() - exchange->started;
    if (failure) {
      completion.failure = std::move(failure);
      completion.body.clear();
    } else {
      long status = 0;
      curl_easy_getinfo(exchange->easy.get(), CURLINFO_RESPONSE_CODE, &status);
      completion.status = static_cast<int>(status);
    }
    completions.push_back(std::move(completion));
    keep(std::move(exchange->easy));
  }

  std::optional<Completion::Failure> failure_of(const Exchange& exchange, CURLcode code) const {
    const Peer& peer = *exchange.call.peer;
    if (code == CURLE_OK && exchange.headers_ended) return std::nullopt;
    if (code == CURLE_OK) return describe_cut_off(peer);
    if (exchange.headers_too_large) {
      return Completion::Failure{
          FailureReason::bad_response,
          "the answer of " + std::string(host_of(peer.api_url)) + " has more than 64 KiB of headers", true};
    }
    if (exchange.body_too_large) {
      return Completion::Failure{
          FailureReason::bad_response,
          "the answer of " + std::string(host_of(peer.api_url)) + " is larger than max_response_bytes", true};
    }
    return describe(exchange.easy.get(), code, exchange.error.data(), peer, exchange.proxy);
  }

  void collect_ended() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      Exchange* ended = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &ended);
      std::unique_ptr<Exchange> exchange = release(ended->call.id);
      std::optional<Completion::Failure> failure = failure_of(*exchange, code);
      complete(std::move(exchange), std::move(failure));
    }
  }

  void collect_expired() {
    const SteadyTime now = clock.steady_now();
    while (!deadlines.empty() && deadlines.begin()->first.passed(now)) {
      const std::uint64_t id = deadlines.begin()->second;
      // Asked before the handle leaves libcurl, which forgets how far it came.
      const Exchange& exchange = *exchanges.at(id);
      Completion::Failure failure =
          describe_timeout(exchange.easy.get(), *exchange.call.peer, exchange.proxy);
      complete(release(id), std::move(failure));
    }
  }

  int milliseconds_to_wait(Deadline until, SteadyTime now) const {
    Duration wait = std::min(until.remaining(now), kLongestWait);
    if (!deadlines.empty()) wait = std::min(wait, deadlines.begin()->first.remaining(now));
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
  }

  const Clock& clock;
  const CurlOptions options;
  CURLM* multi = nullptr;
  std::string system_authorities;
  bool tls_is_openssl = false;  // other libraries hand on_tls_context something else
  std::unordered_map<std::uint64_t, std::unique_ptr<Exchange>> exchanges;
  std::set<std::pair<Deadline, std::uint64_t>> deadlines;
  std::vector<Easy> idle;
  std::vector<Completion> completions;
  std::atomic<bool> woken{false};
};

CurlTransport::CurlTransport(const Clock& clock, CurlOptions options)
    : impl_(std::make_unique<Impl>(clock, std::move(options))) {}
CurlTransport::~CurlTransport() = default;

void CurlTransport::start(Call call) {
  const std::uint64_t id = call.id;
  if (!fits_a_header(call.token->reveal())) {
    Completion refused;
    refused.id = id;
    refused.failure = {FailureReason::config, "the token has a line break or a NUL in it and cannot be sent",
                       true};
    impl_->completions.push_back(std::move(refused));
    return;
  }
  auto exchange = std::make_unique<Exchange>();
  exchange->call = std::move(call);
  exchange->started = impl_->clock.steady_now();
  impl_->deadlines.emplace(exchange->call.deadline, id);
  Exchange& begun = *exchange;
  [[maybe_unused]] const bool inserted = impl_->exchanges.emplace(id, std::move(exchange)).second;
  assert(inserted);
  impl_->begin(begun);
}

void CurlTransport::cancel(std::uint64_t id) {
  if (impl_->exchanges.count(id) != 0) impl_->keep(std::move(impl_->release(id)->easy));
  std::erase_if(impl_->completions, [id](const Completion& completion) { return completion.id == id; });
}

std::vector<Completion> CurlTransport::poll(Deadline until) {
  for (;;) {
    int running = 0;
    curl_multi_perform(impl_->multi, &running);
    impl_->collect_ended();
    impl_->collect_expired();
    const bool woken = impl_->woken.exchange(false);
    const SteadyTime now = impl_->clock.steady_now();
    if (woken || !impl_->completions.empty() || until.passed(now))
      return std::exchange(impl_->completions, {});
    curl_multi_poll(impl_->multi, nullptr, 0, impl_->milliseconds_to_wait(until, now), nullptr);
  }
}

void CurlTransport::wake() {
  impl_->woken.store(true);
  curl_multi_wakeup(impl_->multi);
}

std::size_t CurlTransport::in_flight() const {
  return impl_->exchanges.size();
}

}  // namespace sqlbak_gateway::upstream
