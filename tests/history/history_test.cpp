// The history file: across restarts, and whatever happens to it.
#include "sqlbak_gateway/history/history.h"

#include "history/remembered_account.h"
#include "history/sqlite.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <latch>
#include <optional>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

namespace sqlbak_gateway::history {
namespace {

using testing::fingerprint;
using ::testing::HasSubstr;
using testing::RememberedAccount;

std::shared_ptr<const AccountMemory> loaded(History& history, const std::string& account) {
  const auto memory = history.load(account, Deadline::never());
  EXPECT_TRUE(memory.ok()) << memory.error().message;
  return memory.ok() ? *memory : nullptr;
}

class CapturedLog final : public LogSink {
 public:
  void write(std::string_view line) override {
    MutexLock lock(mutex_);
    text_ += line;
  }
  std::string text() const {
    MutexLock lock(mutex_);
    return text_;
  }

 private:
  mutable Mutex mutex_;
  std::string text_ GUARDED_BY(mutex_);
};

class HistoryFile : public ::testing::Test {
 protected:
  HistoryFile() : folder_(std::filesystem::temp_directory_path() / "sqlbak-history-XXXXXX") {
    std::string name = folder_.string();
    folder_ = ::mkdtemp(name.data());
    path_ = folder_ / "history.db";
  }
  ~HistoryFile() override {
    ::chmod(folder_.c_str(), 0700);
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<History> open() { return open_history(path_, clock_, log_); }
  // Opens, writes, and closes again.
  void write(const std::string& account, const std::shared_ptr<const AccountMemory>& memory) {
    const auto history = open();
    ASSERT_TRUE(history->status().durable) << sink_.text();
    history->store(account, memory);
    ASSERT_TRUE(history->drain(Deadline::never()));
  }
  std::shared_ptr<const AccountMemory> read(const std::string& account) { return loaded(*open(), account); }
  void expect_memory_only(const std::string& because) {
    const auto history = open();
    EXPECT_FALSE(history->status().durable);
    EXPECT_EQ(history->status().errors, 1u);
    EXPECT_THAT(sink_.text(), HasSubstr("level=warn"));
    EXPECT_THAT(sink_.text(), HasSubstr(because));
    history->store("acme", account_.collect());
    EXPECT_TRUE(history->drain(Deadline::never()));
    EXPECT_EQ(loaded(*history, "acme"), nullptr);
  }
  void execute(const std::string& sql) {
    Result<Database> database = Database::open(path_);
    ASSERT_TRUE(database.ok());
    const Result<void> done = database->execute(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
  sqlbak_gateway::testing::ManualClock clock_;
  CapturedLog sink_;
  Logger log_{sink_, clock_, LogLevel::info, LogFormat::logfmt};
  RememberedAccount account_{1};
};

TEST_F(HistoryFile, RemembersAcrossRestarts) {
  const auto memory = account_.collect();
  write("acme", memory);
  EXPECT_EQ(fingerprint(read("acme")), fingerprint(memory));
  EXPECT_EQ(read("globex"), nullptr);
}

TEST_F(HistoryFile, FollowsEveryCollection) {
  const auto history = open();
  for (int i = 0; i < 10; ++i) {
    history->store("acme", account_.collect());
    ASSERT_TRUE(history->drain(Deadline::never()));
  }
  // Jobs that were removed are gone, too.
  account_.simulator().with([](simulator::World& world) {
    simulator::Account& account = world.account("acme");
    account.remove_job(account.jobs().begin()->first);
    return 0;
  });
  account_.collect(std::chrono::hours(1));
  const auto last = account_.collect(std::chrono::hours(25));
  history->store("acme", last);
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_EQ(fingerprint(loaded(*history, "acme")), fingerprint(last));
}

TEST_F(HistoryFile, GoesOnFromWhatAnEarlierProcessWrote) {
  write("acme", account_.collect());
  {
    const auto history = open();
    account_.restart_with(loaded(*history, "acme"));
    history->store("acme", account_.collect());
    ASSERT_TRUE(history->drain(Deadline::never()));
  }
  // And without having asked what that was.
  const auto memory = account_.collect();
  write("acme", memory);
  EXPECT_EQ(fingerprint(read("acme")), fingerprint(memory));
}

TEST_F(HistoryFile, KeepsAccountsApart) {
  RememberedAccount other(2);
  const auto acme = account_.collect();
  const auto globex = other.collect();
  write("acme", acme);
  write("globex", globex);
  EXPECT_EQ(fingerprint(read("acme")), fingerprint(acme));
  EXPECT_EQ(fingerprint(read("globex")), fingerprint(globex));
}

TEST_F(HistoryFile, TellsWhatIsNotYetWritten) {
  const auto history = open();
  std::shared_ptr<const AccountMemory> last;
  for (int i = 0; i < 20; ++i) {
    last = account_.collect(std::chrono::minutes(5));
    history->store("acme", last);
    EXPECT_EQ(fingerprint(loaded(*history, "acme")), fingerprint(last));
  }
}

TEST_F(HistoryFile, IsForItsOwnerAlone) {
  write("acme", account_.collect());
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);

  ::chmod(path_.c_str(), 0644);
  const auto history = open();
  history->store("acme", account_.collect());
  ASSERT_TRUE(history->drain(Deadline::never()));
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    ASSERT_EQ(::stat(file.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 077, 0u) << file.path();
  }
}

TEST_F(HistoryFile, HasASize) {
  const auto history = open();
  history->store("acme", account_.collect());
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_GT(history->status().size_bytes, 10'000u);
  EXPECT_EQ(history->status().errors, 0u);
}

TEST_F(HistoryFile, ForgetsAccountsAMonthAfterTheyWereLastConfigured) {
  const auto history = open();
  history->store("acme", account_.collect());
  history->store("globex", account_.collect());
  history->configured({"acme", "globex"});
  ASSERT_TRUE(history->drain(Deadline::never()));

  for (int reload = 0; reload < 2; ++reload) {
    history->configured({"acme"});
    ASSERT_TRUE(history->drain(Deadline::never()));
    EXPECT_NE(loaded(*history, "globex"), nullptr);
    clock_.advance(std::chrono::hours(29 * 24));
  }

  clock_.advance(std::chrono::hours(2 * 24));
  history->configured({"acme"});
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_EQ(loaded(*history, "globex"), nullptr);
  EXPECT_NE(loaded(*history, "acme"), nullptr);
}

// However long ago the last start or reload was: a mistake in a file must not cost what cannot be read again.
TEST_F(HistoryFile, AnAccountIsConfiguredAllTheTimeThatTheGatewayIsUp) {
  constexpr auto kLong = std::chrono::hours(40 * 24);
  {
    const auto history = open();
    history->store("acme", account_.collect());
    history->store("globex", account_.collect());
    history->configured({"acme", "globex"});
    ASSERT_TRUE(history->drain(Deadline::never()));
    clock_.advance(kLong);
    history->configured({"acme"});  // a reload that skips a file
    ASSERT_TRUE(history->drain(Deadline::never()));
    EXPECT_NE(loaded(*history, "globex"), nullptr);
    history->configured({"acme", "globex"});
    clock_.advance(kLong);
    history->store("acme", account_.collect());
    history->store("globex", account_.collect());
    ASSERT_TRUE(history->drain(Deadline::never()));
  }
  const auto history = open();  // a reboot, after which that file is skipped
  history->configured({"acme"});
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_NE(loaded(*history, "globex"), nullptr);
}

TEST_F(HistoryFile, KeepsNothingInMemoryOfAccountsThatAreGone) {
  const auto history = open();
  history->store("acme", account_.collect());
  ASSERT_TRUE(history->drain(Deadline::never()));
  account_.restart_with(nullptr);
  std::weak_ptr<const AccountMemory> kept = loaded(*history, "acme");
  EXPECT_FALSE(kept.expired());
  history->configured({"globex"});
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_TRUE(kept.expired());

  // What a collection that ran meanwhile still stores is written, and not kept either.
  const auto late = account_.collect();
  const std::string written = fingerprint(late);
  history->store("acme", late);
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_EQ(fingerprint(loaded(*history, "acme")), written);
  EXPECT_EQ(late.use_count(), 2) << "this test's, and the account's";
}

// --- Trouble ---

TEST_F(HistoryFile, ThatCannotBeCreatedIsDoneWithout) {
  path_ = folder_ / "missing" / "history.db";
  expect_memory_only("No such file or directory");
}

TEST_F(HistoryFile, ThatIsNoDatabaseIsLeftAlone) {
  const std::string text(8192, 'x');
  std::ofstream(path_) << text;
  expect_memory_only("move it out of the way");
  std::stringstream after;
  after << std::ifstream(path_).rdbuf();
  EXPECT_EQ(after.str(), text);
}

TEST_F(HistoryFile, ThatIsDamagedIsDoneWithout) {
  write("acme", account_.collect());
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  for (int page = 1; page < 6; ++page) {
    file.seekp(page * std::streamoff{4096});
    file << std::string(512, '\xff');
  }
  file.close();
  expect_memory_only("damaged");
}

TEST_F(HistoryFile, OfAnotherProgramIsLeftAlone) {
  std::ofstream(path_).close();
  execute("CREATE TABLE invoices (id)");
  expect_memory_only("not a history of sqlbak-gateway");
}

TEST_F(HistoryFile, OfANewerVersionIsLeftAlone) {
  write("acme", account_.collect());
  execute("PRAGMA user_version = 2");
  expect_memory_only("newer version");
}

TEST_F(HistoryFile, BelongsToOneProcess) {
  const auto first = open();
  expect_memory_only("only one gateway may");
}

TEST_F(HistoryFile, ReadsAnAccountAfreshWhoseRowsAreDamaged) {
  write("acme", account_.collect());
  RememberedAccount other(2);
  const auto globex = other.collect();
  write("globex", globex);
  execute("UPDATE job SET body = x'00' WHERE account = (SELECT id FROM account WHERE name = 'acme')");
  const auto history = open();
  EXPECT_EQ(loaded(*history, "acme"), nullptr);
  EXPECT_EQ(history->status().errors, 1u);
  EXPECT_EQ(fingerprint(loaded(*history, "globex")), fingerprint(globex));

  const auto memory = account_.collect();
  history->store("acme", memory);
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_EQ(fingerprint(loaded(*history, "acme")), fingerprint(memory));
}

// There is no memory for SQLite, which is no damage.
class NoMemory {
 public:
  NoMemory() { sqlite3_hard_heap_limit64(1); }
  ~NoMemory() { sqlite3_hard_heap_limit64(0); }
};

TEST_F(HistoryFile, IsAskedAgainForAnAccountThatCouldNotBeReadOnce) {
  const auto memory = account_.collect();
  write("acme", memory);
  const auto history = open();
  {
    const NoMemory none;
    EXPECT_FALSE(history->load("acme", Deadline::never()).ok());
    EXPECT_FALSE(history->load("acme", Deadline::never()).ok());
  }
  EXPECT_EQ(history->status().errors, 2u);
  const std::string log = sink_.text();
  EXPECT_EQ(log.find("cannot be read"), log.rfind("cannot be read")) << "told once";
  EXPECT_EQ(fingerprint(loaded(*history, "acme")), fingerprint(memory));
}

// A disk is full: no file may grow any more.
class FullDisk {
 public:
  FullDisk() {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = 1;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(HistoryFile, GoesOnWhenTheDiskHasRoomAgain) {
  auto history = open();
  history->store("acme", account_.collect());
  ASSERT_TRUE(history->drain(Deadline::never()));
  std::shared_ptr<const AccountMemory> meanwhile;
  std::uint64_t errors = 0;
  {
    const FullDisk full;
    for (int i = 0; i < 3; ++i) {
      meanwhile = account_.collect();
      history->store("acme", meanwhile);
      ASSERT_FALSE(history->drain(Deadline::never()));
    }
    errors = history->status().errors;
    EXPECT_GE(errors, 3u);
    EXPECT_THAT(sink_.text(), HasSubstr("the history cannot be written"));
    EXPECT_TRUE(fingerprint(loaded(*history, "acme")) == fingerprint(meanwhile));
  }
  // What could not be written then is written as soon as anything is.
  const auto other = account_.collect();
  history->store("globex", other);
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_EQ(history->status().errors, errors);
  EXPECT_THAT(sink_.text(), HasSubstr("the history is written again"));
  history.reset();
  history = open();
  EXPECT_TRUE(fingerprint(loaded(*history, "acme")) == fingerprint(meanwhile));
  EXPECT_TRUE(fingerprint(loaded(*history, "globex")) == fingerprint(other));
}

TEST_F(HistoryFile, NothingOlderReplacesWhatIsWrittenAfterAFailure) {
  auto history = open();
  {
    const FullDisk full;
    history->store("acme", account_.collect());
    ASSERT_FALSE(history->drain(Deadline::never()));
  }
  const auto newer = account_.collect();
  history->store("acme", newer);
  while (sink_.text().find("is written again") == std::string::npos) std::this_thread::yield();
  ASSERT_TRUE(history->drain(Deadline::never()));
  history.reset();
  EXPECT_TRUE(fingerprint(read("acme")) == fingerprint(newer));
}

// Else it would look as if the account had not been configured since long ago, and be forgotten.
TEST_F(HistoryFile, WritesTheConfiguredAccountsOnceTheDiskHasRoom) {
  auto history = open();
  history->store("acme", account_.collect());
  ASSERT_TRUE(history->drain(Deadline::never()));
  clock_.advance(std::chrono::hours(40 * 24));
  {
    const FullDisk full;
    history->configured({"acme"});
    ASSERT_FALSE(history->drain(Deadline::never()));
  }
  history->store("globex", account_.collect());
  ASSERT_TRUE(history->drain(Deadline::never()));
  history.reset();
  history = open();  // a reboot, after which the file with acme is skipped
  history->configured({"globex"});
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_NE(loaded(*history, "acme"), nullptr);
}

// A disk that takes no log of a database, and gives no error either, until it is told to. Of databases opened
// meanwhile.
class HangingDisk {
 public:
  HangingDisk() {
    before_ = sqlite3_vfs_find(nullptr);
    hanging_ = *before_;
    hanging_.zName = "hanging";
    hanging_.xOpen = [](sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
      const int code = before_->xOpen(before_, name, file, flags, out);
      if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
      real_ = file->pMethods;
      static sqlite3_io_methods methods;
      methods = *real_;
      methods.xWrite = [](sqlite3_file* to, const void* bytes, int count, sqlite3_int64 at) {
        pass();
        return real_->xWrite(to, bytes, count, at);
      };
      file->pMethods = &methods;
      return code;
    };
    sqlite3_vfs_register(&hanging_, /*makeDflt=*/1);
  }
  ~HangingDisk() {
    answer();
    sqlite3_vfs_unregister(&hanging_);
  }
  void hang() {
    is_hung_.emplace(1);
    is_back_.emplace(1);
    hangs_ = true;
  }
  // Until somebody waits for it.
  void wait_until_hung() { is_hung_->wait(); }
  void answer() {
    if (hangs_.exchange(false)) is_back_->count_down();
  }

 private:
  static void pass() {
    if (!hangs_) return;
    is_hung_->count_down();
    is_back_->wait();
  }
  static inline sqlite3_vfs* before_ = nullptr;
  static inline sqlite3_vfs hanging_{};
  static inline const sqlite3_io_methods* real_ = nullptr;
  static inline std::atomic<bool> hangs_{false};
  static inline std::optional<std::latch> is_hung_;
  static inline std::optional<std::latch> is_back_;
};

// Else the first probe of each account would wait for it for ever, until no thread is left for the others.
TEST_F(HistoryFile, OnADiskThatHangsIsWaitedForNoLongerThanWanted) {
  const auto memory = account_.collect();
  write("acme", memory);
  HangingDisk disk;
  const auto history = open();
  disk.hang();
  const auto other = account_.collect();
  history->store("globex", other);
  disk.wait_until_hung();

  auto read = std::async(std::launch::async, [&] { return history->load("acme", Deadline::at({})); });
  const bool in_time = read.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  if (!in_time) disk.answer();
  ASSERT_TRUE(in_time);
  EXPECT_FALSE(read.get().ok());
  EXPECT_FALSE(history->load("acme", Deadline::at({})).ok());
  EXPECT_EQ(history->status().errors, 2u);
  const std::string log = sink_.text();
  ASSERT_THAT(log, HasSubstr("does not answer"));
  EXPECT_EQ(log.find("does not answer"), log.rfind("does not answer")) << "told once";
  // What is on its way to the disk is known meanwhile.
  const auto on_its_way = history->load("globex", Deadline::at({}));
  ASSERT_TRUE(on_its_way.ok());
  EXPECT_EQ(*on_its_way, other);

  disk.answer();
  EXPECT_EQ(fingerprint(loaded(*history, "acme")), fingerprint(memory));
  ASSERT_TRUE(history->drain(Deadline::never()));
  EXPECT_EQ(fingerprint(loaded(*history, "globex")), fingerprint(other));
}

// The gateway's own metrics are asked for by the same threads that tell operators what is wrong.
TEST_F(HistoryFile, HasASizeWithoutAskingAFileSystemThatMayHang) {
  const auto history = open();
  history->store("acme", account_.collect());
  ASSERT_TRUE(history->drain(Deadline::never()));
  const auto size = history->status().size_bytes;
  ASSERT_GT(size, 0u);
  const std::filesystem::path elsewhere = folder_.string() + "-elsewhere";
  std::filesystem::rename(folder_, elsewhere);
  EXPECT_EQ(history->status().size_bytes, size);
  std::filesystem::rename(elsewhere, folder_);
}

// One account whose rows cannot be written.
TEST_F(HistoryFile, TellsTroubleOnceThatOneAccountOnlyHas) {
  open().reset();
  execute(
      "CREATE TRIGGER no_acme BEFORE INSERT ON account WHEN new.name = 'acme' BEGIN "
      "SELECT RAISE(ABORT, 'not this one'); END");
  const auto history = open();
  for (int i = 0; i < 3; ++i) {
    history->store("acme", account_.collect());
    history->store("globex", account_.collect());
    ASSERT_FALSE(history->drain(Deadline::never()));
  }
  const std::string log = sink_.text();
  EXPECT_EQ(log.find("cannot be written"), log.rfind("cannot be written"));
  EXPECT_EQ(log.find("is written again"), std::string::npos);
}

// Whatever there is no memory for, it is no reason to believe that nothing is remembered: what is stored then
// would replace it.
TEST_F(HistoryFile, IsNeverTakenForEmptyForWantOfMemory) {
  const auto memory = account_.collect();
  write("acme", memory);
  const std::string expected = fingerprint(memory);
  int failures = 0;
  for (std::int64_t room = 1; room < 200'000; room += room / 8 + 64) {
    const auto history = open();
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + room);
    const auto read = history->load("acme", Deadline::never());
    sqlite3_hard_heap_limit64(0);
    if (read.ok()) {
      ASSERT_EQ(fingerprint(*read), expected) << room;
    } else {
      ++failures;
    }
  }
  EXPECT_GT(failures, 3);
}

TEST(MemoryHistory, RemembersNothing) {
  const auto history = make_memory_history();
  history->store("acme", std::make_shared<AccountMemory>());
  EXPECT_EQ(loaded(*history, "acme"), nullptr);
  EXPECT_FALSE(history->status().durable);
  EXPECT_EQ(history->status().errors, 0u);
}

}  // namespace
}  // namespace sqlbak_gateway::history
