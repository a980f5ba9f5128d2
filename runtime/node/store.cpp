#include "runtime/node/store.h"

#include <utility>

#include "storage/memory/memory_engine.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace troupe::node {
namespace {

NodeId random_node_id(Random& random) { return {.high = random.next() | 1, .low = random.next()}; }

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& directory, Random& random,
                                           Executor& loop, Clock& clock, Log log) {
  Result<storage::DataDirectory> opened = storage::DataDirectory::open_or_create(directory);
  if (!opened) return fail(opened.error());
  std::unique_ptr<Store> store(new Store());
  store->directory_.emplace(std::move(*opened));
  if (store->directory_->identity()) {
    store->identity_ = *store->directory_->identity();
  } else {
    store->identity_.node = random_node_id(random);
    const Result<void> saved = store->directory_->save(store->identity_);
    if (!saved) return fail(saved.error());
  }
  storage::RocksdbOptions options;
  options.directory = store->directory_->store_path();
  options.identity = to_string(store->identity_.node);
  options.create = !store->identity_.store_created;
  options.log = log;
  Result<std::unique_ptr<storage::Engine>> engine = storage::open_rocksdb(options);
  if (!engine) return fail(engine.error());
  store->engine_ = std::move(*engine);
  store->disk_ = std::make_unique<storage::ThreadDisk>(*store->engine_, loop, clock);
  return store;
}

Result<std::unique_ptr<Store>> Store::in_memory(Random& random, Executor& loop, Clock& clock) {
  std::unique_ptr<Store> store(new Store());
  store->identity_.node = random_node_id(random);
  store->engine_ = std::make_unique<storage::MemoryEngine>();
  store->disk_ = std::make_unique<storage::ThreadDisk>(*store->engine_, loop, clock);
  return store;
}

Result<void> Store::expect_cluster(const std::string& cluster) const {
  return directory_ ? directory_->expect_cluster(cluster) : Result<void>();
}

Result<void> Store::joined(const std::string& cluster) {
  if (!directory_ || (identity_.store_created && identity_.cluster == cluster)) return {};
  identity_.cluster = cluster;
  identity_.store_created = true;
  return directory_->save(identity_);
}

}  // namespace troupe::node
