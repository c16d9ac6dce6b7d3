"""A bank that reads pain.001 and answers pain.002, with books of its own: each EndToEndId is paid once, or refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from xml.etree import ElementTree

NS = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


@dataclass
class FakeBank:
    """`refuses_every` n-th transfer; what was paid or refused stays so, however often a file is brought."""

    refuses_every: int = 7
    paid: dict[str, Decimal] = field(default_factory=dict)
    refused: dict[str, Decimal] = field(default_factory=dict)

    def takes(self, file: bytes) -> bytes:
        """Carry out what is new in the file; the status report about all of it."""
        root = ElementTree.fromstring(file)  # noqa: S314 - our own
        orders = [
            (one.findtext("p:PmtId/p:EndToEndId", "", NS), Decimal(one.findtext("p:Amt/p:InstdAmt", "", NS)))
            for one in root.iterfind(".//p:CdtTrfTxInf", NS)
        ]
        assert len({key for key, _ in orders}) == len(orders)
        assert sum(amount for _, amount in orders) == Decimal(root.findtext(".//p:GrpHdr/p:CtrlSum", "", NS))
        for place, (key, amount) in enumerate(orders, 1):
            if key not in self.paid and key not in self.refused:
                (self.refused if place % self.refuses_every == 0 else self.paid)[key] = amount
        told = "".join(self._told(key) for key, _ in orders)
        return (
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>'
            f"<OrgnlMsgId>{root.findtext('.//p:GrpHdr/p:MsgId', '', NS)}</OrgnlMsgId></OrgnlGrpInfAndSts>"
            f"<OrgnlPmtInfAndSts>{told}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
        ).encode()

    def _told(self, key: str) -> str:
        status = "ACSC" if key in self.paid else "RJCT"
        reason = "" if key in self.paid else "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
        return (
            f"<TxInfAndSts><OrgnlEndToEndId>{key}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}"
            f"<AcctSvcrRef>BK{key[-12:]}</AcctSvcrRef></TxInfAndSts>"
        )
