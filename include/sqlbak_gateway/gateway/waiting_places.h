// WaitingPlaces: how many probes may wait for a collection at once. Waiting is shed, answering is not: a
// probe that finds no place is answered at once with what there is. Resource type, safe from any thread.
#pragma once

#include <atomic>
#include <cstddef>

namespace sqlbak_gateway::gateway {

class WaitingPlaces {
 public:
  explicit WaitingPlaces(std::size_t places) : places_(places) {}
  WaitingPlaces(const WaitingPlaces&) = delete;
  WaitingPlaces& operator=(const WaitingPlaces&) = delete;

  // A place taken for a scope, or none.
  class Taken {
   public:
    explicit Taken(WaitingPlaces& all) : all_(all), taken_(all.taken_.fetch_add(1) < all.places_.load()) {}
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    ~Taken() { all_.taken_.fetch_sub(1); }
    explicit operator bool() const { return taken_; }

   private:
    WaitingPlaces& all_;
    bool taken_;
  };

  void set_places(std::size_t places) { places_.store(places); }

 private:
  std::atomic<std::size_t> places_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace sqlbak_gateway::gateway
