// What nearly every test includes, compiled once for each suite.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/pch/pch.h"
