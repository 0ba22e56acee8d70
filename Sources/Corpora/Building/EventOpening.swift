import Frames
import Host

extension SourceRecipe {
  /// Opens one raw file of this source.
  func open(_ path: String) throws(InputError) -> any EventReader {
    guard let dataset else { return try RunFile.open(path) }
    return try HDF5Reader(opening: path, dataset: dataset)
  }
}
