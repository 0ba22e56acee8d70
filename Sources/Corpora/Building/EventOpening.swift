import Frames
import Host

extension SourceRecipe {
  /// Opens one raw file of this source, or the streams and chunks of one run.
  func open(_ raw: OpenedSource.RawFile) throws(InputError) -> any EventReader {
    guard let dataset else { return try RunFile.open(run: raw.parts.map(\.path)) }
    return try HDF5Reader(opening: raw.match.path, dataset: dataset)
  }
}
