// WaitingPlaces: how many probes may wait for a collection at once, all together and of one account. Waiting
// is shed, answering is not: a probe that finds no place is answered at once with what there is. Resource
// type, safe from any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace sqlbak_gateway::gateway {

class WaitingPlaces {
 public:
  explicit WaitingPlaces(std::size_t places) : places_(places) {}
  WaitingPlaces(const WaitingPlaces&) = delete;
  WaitingPlaces& operator=(const WaitingPlaces&) = delete;

  // How many of the places one account has taken. Its probes may take a quarter of all, so that a tenant who
  // sees few accounts cannot keep the others' probes from waiting; but two, for a pair of Prometheus servers.
  class OfAccount {
   public:
    OfAccount() = default;
    OfAccount(const OfAccount&) = delete;
    OfAccount& operator=(const OfAccount&) = delete;

   private:
    friend class WaitingPlaces;
    std::atomic<std::size_t> taken_{0};
  };

  // A place taken for a scope, or none.
  class Taken {
   public:
    Taken(WaitingPlaces& all, OfAccount& own)
        : all_(all),
          own_(own),
          // What an account is refused for its share counts against nobody else.
          within_share_(own.taken_.fetch_add(1) < all.share()),
          taken_(within_share_ && all.taken_.fetch_add(1) < all.places_.load()) {}
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    ~Taken() {
      if (within_share_) all_.taken_.fetch_sub(1);
      own_.taken_.fetch_sub(1);
    }
    explicit operator bool() const { return taken_; }

   private:
    WaitingPlaces& all_;
    OfAccount& own_;
    const bool within_share_;
    const bool taken_;
  };

  void set_places(std::size_t places) { places_.store(places); }

 private:
  std::size_t share() const { return std::max<std::size_t>(2, places_.load() / 4); }

  std::atomic<std::size_t> places_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace sqlbak_gateway::gateway
