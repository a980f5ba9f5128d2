#include "storage/raft/ready.h"

namespace troupe::raft {

bool Ready::empty() const {
  return ticket == 0 && !lost_leadership && !standing && messages.empty() && committed.empty() &&
         reads.empty() && failed_reads.empty() && snapshots.empty();
}

}  // namespace troupe::raft
