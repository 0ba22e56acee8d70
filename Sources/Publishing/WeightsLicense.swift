import Foundation
import Host

/// The terms under which weights are published, apart from those of the program and of the data.
public struct WeightsLicense: Hashable, Sendable {
  /// SPDX identifier.
  public var identifier: String
  /// The full text, where it is given; else `LICENSE` names the terms and where their text stands.
  public var text: String?

  public static let apache2 = WeightsLicense(identifier: "Apache-2.0", text: nil)

  private init(identifier: String, text: String?) { (self.identifier, self.text) = (identifier, text) }

  /// Throws for an identifier with characters that SPDX does not use, and for an empty text.
  public init(identifier: String, textFile: String? = nil) throws(InputError) {
    let isKnown = identifier.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x2B }
    guard !identifier.isEmpty, isKnown else {
      throw InputError(path: "", place: "license", expected: "an SPDX identifier such as Apache-2.0 or CC-BY-4.0", found: "\"\(identifier)\"")
    }
    var text: String?
    if let textFile {
      let words = String(decoding: try AtomicFile.read(textFile), as: UTF8.self)
      guard !words.allSatisfy(\.isWhitespace) else {
        throw InputError(path: textFile, place: "", expected: "the text of \(identifier)", found: "nothing")
      }
      text = words
    }
    self.init(identifier: identifier, text: text)
  }

  func document(for name: String) -> String {
    text ?? """
      SPDX-License-Identifier: \(identifier)

      The weights in this folder ("\(name)") are offered under the terms known as \(identifier).
      Their full text stands at https://spdx.org/licenses/\(identifier).html
      They cover the files of this folder, not the pictures that the network was trained on.

      """
  }
}
