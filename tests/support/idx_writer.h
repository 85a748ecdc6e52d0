// A small data set on disk in the IDX format.
#pragma once

#include <string>

namespace gridsweep {

// Writes NAME-{train,test}-{images-idx3,labels-idx1}-ubyte below `dir`: 28 × 28 images of 4 classes, each with its own
// quarter of the image lit, 200 to train and 40 to test. Always the same bytes.
void WriteTinyDataset(const std::string& dir, const std::string& name);

}  // namespace gridsweep
