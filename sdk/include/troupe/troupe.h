#pragma once

/// Everything that a program with actors needs. For programs that only call them: client.h. For
/// tests: testing.h.
#include <troupe/actor.h>
#include <troupe/actor_class.h>
#include <troupe/client.h>
#include <troupe/error.h>
#include <troupe/methods.h>
#include <troupe/run.h>
#include <troupe/task.h>
