#include "tests/contract/store/store_fixture.h"
