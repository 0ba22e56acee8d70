import Frames
import Host

extension SourceRecipe {
  /// Opens one raw file of this source.
  func open(_ path: String) throws(InputError) -> any EventReader {
    throw InputError(path: path, place: "", expected: "x", found: "y")
  }
}
